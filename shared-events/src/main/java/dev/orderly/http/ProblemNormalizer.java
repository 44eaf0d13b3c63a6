package dev.orderly.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.orderly.database.Causes;
import dev.orderly.database.OutageException;
import dev.orderly.http.Problems.FieldError;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkiverse.resteasy.problem.postprocessing.ProblemContext;
import io.quarkiverse.resteasy.problem.postprocessing.ProblemPostProcessor;
import io.quarkiverse.resteasy.problem.validation.Violation;
import io.quarkus.oidc.OIDCException;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.security.ForbiddenException;
import io.vertx.core.http.HttpClosedException;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.transaction.RollbackException;
import jakarta.ws.rs.NotAcceptableException;
import jakarta.ws.rs.NotAllowedException;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.NotSupportedException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jboss.logging.Logger;

/**
 * Gives every problem the form that the API documents: {@code type}, {@code title}, {@code status},
 * {@code detail}, and {@code errors} as a list of {@code field} and {@code message} where fields are wrong. A
 * database that cannot be reached is a 503 that may be retried, not an error of the service, and so is every
 * failure during a shutdown. An error of the service discloses no detail.
 */
@Singleton // in no context that ends before the last request
class ProblemNormalizer implements ProblemPostProcessor {

    private static final Logger LOG = Logger.getLogger(ProblemNormalizer.class);

    private static final Set<String> TRANSIENT_CLASSES = Set.of("08", "40", "53", "57");
    private static final Set<String> TIMEOUTS = Set.of("55P03", "25P03", "25P04");
    /** During a failover, or by an administrator: nothing can be changed at present. */
    private static final String READ_ONLY = "25006";

    private volatile boolean stopping;

    /** A request that outlasts {@code quarkus.shutdown.timeout} fails by the next resource that is closed. */
    void stop(@Observes ShutdownEvent event) {
        stopping = true;
    }

    @Override
    public HttpProblem apply(HttpProblem problem, ProblemContext context) {
        var invalidBody = invalidBody(context.cause);
        if (invalidBody != null) {
            return invalidBody;
        }
        return problem.getStatusCode() == 500 ? failure(context.cause) : normalized(explained(problem, context.cause));
    }

    /** Quarkus does not say why, or names annotations of our code. */
    private static HttpProblem explained(HttpProblem problem, Throwable cause) {
        var detail = switch (cause) {
            case ForbiddenException _ -> "None of the roles of your token may do this.";
            case NotFoundException _ -> "There is nothing under this path.";
            case NotAllowedException _ -> "This path does not take this method.";
            case NotAcceptableException _ -> "Nothing can be returned in a media type that Accept allows.";
            case NotSupportedException _ -> "This path does not take a body of this Content-Type.";
            case null, default -> problem.getDetail();
        };
        return HttpProblem.builder(problem).withDetail(detail).build();
    }

    /** The library has mappers for some of these exceptions, which name our classes. */
    private static HttpProblem invalidBody(Throwable failure) {
        if (failure instanceof MismatchedInputException mismatch) {
            return InvalidBodyMapper.problemOf(mismatch);
        }
        return switch (failure == null ? null : failure.getCause()) {
            // A number that is too large for its field.
            case JsonMappingException mismatch
            when mismatch.getCause() instanceof InputCoercionException -> InvalidBodyMapper.problemOf(mismatch);
            case JsonProcessingException _ ->
                Problems.problem(400, "The body is not valid JSON.").build();
            case null, default -> null;
        };
    }

    private HttpProblem failure(Throwable failure) {
        if (commitFailed(failure)) {
            return Problems.unavailable("The database was lost during the commit. Repeat the request, under its"
                    + " Idempotency-Key if it has one: it may have been done, or not.");
        }
        if (isTransient(failure)) {
            return Problems.unavailable(
                    "The database cannot be reached, is busy or read-only. Nothing was changed; try again.");
        }
        if (OutageException.isCauseOf(failure)) {
            LOG.warnf("a request waits for another system: %s", failure.getMessage());
            return Problems.unavailable("The service is not ready yet. Nothing was changed; try again.");
        }
        if (Causes.of(failure).anyMatch(OIDCException.class::isInstance)) {
            LOG.warnf("the keys of the identity provider cannot be fetched: %s", failure.getMessage());
            return Problems.unavailable("Tokens cannot be verified at present. Nothing was changed; try again.");
        }
        if (Causes.of(failure).anyMatch(ProblemNormalizer::isReadTimeout)) {
            return Problems.problem(408, "The body did not arrive in time. Nothing was changed; try again.")
                    .build();
        }
        if (stopping) {
            LOG.warn("the service stopped before a request was done", failure);
            return Problems.unavailable("The service was stopped. Repeat the request, under its Idempotency-Key if it"
                    + " has one: it may have been done, or not.");
        }
        if (Causes.of(failure).anyMatch(ProblemNormalizer::isDisconnect)) {
            LOG.debug("a client disconnected before the answer");
        } else {
            LOG.error("a request failed by an error of the service", failure);
        }
        return Problems.problem(500, "Something went wrong on our side, and is in our log.")
                .build();
    }

    private static HttpProblem normalized(HttpProblem problem) {
        var normalized = HttpProblem.builder()
                .withType(problem.getType() == null ? Problems.NO_SPECIAL_TYPE : problem.getType())
                .withTitle(problem.getTitle())
                .withStatus(problem.getStatusCode())
                .withDetail(problem.getDetail());
        problem.getHeaders().forEach(normalized::withHeader);
        problem.getParameters().forEach((name, value) -> {
            if (name.equals("violations")) {
                normalized.with("errors", errors((Iterable<?>) value));
            } else {
                normalized.with(name, value);
            }
        });
        return normalized.build();
    }

    private static List<FieldError> errors(Iterable<?> violations) {
        return StreamSupport.stream(violations.spliterator(), false)
                .map(Violation.class::cast)
                .map(violation ->
                        new FieldError(violation.field.isEmpty() ? "body" : violation.field, violation.message))
                .toList();
    }

    /** Then the outcome is unknown. The failure of the database itself is only a "suppressed" one. */
    private static boolean commitFailed(Throwable failure) {
        return Causes.of(failure)
                .filter(RollbackException.class::isInstance)
                .findFirst()
                .filter(rollback -> Stream.of(rollback.getSuppressed()).anyMatch(ProblemNormalizer::isTransient))
                .isPresent();
    }

    /**
     * No connection (class 08, or no state at all: the pool has none), too few resources (53), a shutdown
     * (57), a conflict with other transactions (40), or a timeout of our own (infra/postgres/database.sql):
     * of a lock (55P03), of an idle transaction (25P03), or of any transaction (25P04). Or it is read-only.
     */
    private static boolean isTransient(Throwable failure) {
        return Causes.of(failure)
                .filter(SQLException.class::isInstance)
                .limit(1)
                .map(cause -> ((SQLException) cause).getSQLState())
                .anyMatch(state -> state == null
                        || state.equals(READ_ONLY)
                        || TIMEOUTS.contains(state)
                        || TRANSIENT_CLASSES.contains(state.substring(0, 2)));
    }

    private static boolean isDisconnect(Throwable cause) {
        return cause instanceof ClosedChannelException || cause instanceof HttpClosedException;
    }

    /** {@code quarkus.http.read-timeout}; Quarkus has no type for it. */
    private static boolean isReadTimeout(Throwable cause) {
        return cause instanceof IOException && "Read timed out".equals(cause.getMessage());
    }
}
