package dev.orderly.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.orderly.http.Problems.FieldError;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkiverse.resteasy.problem.postprocessing.ProblemContext;
import io.quarkiverse.resteasy.problem.postprocessing.ProblemPostProcessor;
import io.quarkiverse.resteasy.problem.validation.Violation;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.http.HttpClosedException;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.transaction.RollbackException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jboss.logging.Logger;

/**
 * Gives every problem the shape that callers are promised: {@code type}, {@code title}, {@code status}, {@code detail},
 * and {@code errors} as a list of {@code field} and {@code message} where fields are at fault. A database that cannot be
 * reached is a 503 that may be retried, not an error of ours, and so is whatever fails since we stop; an error of ours says no
 * more than that it is one.
 */
@Singleton // one and the same to the last request, also when all contexts have ended
class ProblemNormalizer implements ProblemPostProcessor {

    private static final Logger LOG = Logger.getLogger(ProblemNormalizer.class);

    private static final Set<String> PASSING = Set.of("08", "40", "53", "57");
    private static final Set<String> TIMEOUTS = Set.of("55P03", "25P03", "25P04");
    private static final int MOST_CAUSES = 20;

    private volatile boolean stopping;

    /** Requests that are not over by {@code quarkus.shutdown.timeout} fail by whatever they need next and is closed. */
    void stop(@Observes ShutdownEvent event) {
        stopping = true;
    }

    @Override
    public HttpProblem apply(HttpProblem problem, ProblemContext context) {
        if (context.cause instanceof MismatchedInputException misfit) {
            return InvalidBodyMapper.problemOf(
                    misfit); // The library has mappers for some of them, which name our classes.
        }
        if (context.cause != null
                && context.cause.getCause() instanceof JsonMappingException misfit
                && misfit.getCause() instanceof InputCoercionException) {
            return InvalidBodyMapper.problemOf(misfit); // A number that is too large for its field.
        }
        if (context.cause != null && context.cause.getCause() instanceof JsonProcessingException) {
            return Problems.problem(400, "The body is not valid JSON.").build();
        }
        var status = problem.getStatusCode();
        if (status == 500) {
            if (commitFailed(context.cause)) {
                return Problems.unavailable("The database was lost during the commit. Repeat the request, under its"
                        + " Idempotency-Key if it has one: it may have been done, or not.");
            }
            if (willPass(context.cause)) {
                return Problems.unavailable(
                        "The database cannot be reached, or is busy. Nothing was changed; try again.");
            }
            if (causes(context.cause).anyMatch(ProblemNormalizer::bodyDidNotCome)) {
                return Problems.problem(408, "The body did not arrive in time. Nothing was changed; try again.")
                        .build();
            }
            if (stopping) {
                LOG.warn("a request was not over when the service stopped", context.cause);
                return Problems.unavailable(
                        "The service was stopped. Repeat the request, under its Idempotency-Key if it has one:"
                                + " it may have been done, or not.");
            }
            if (causes(context.cause).anyMatch(ProblemNormalizer::callerLeft)) {
                LOG.debug("a caller left before the answer");
            } else {
                LOG.error("a request failed by a mistake of ours", context.cause);
            }
            return Problems.problem(500, "Something went wrong on our side, and is in our log.")
                    .build();
        }
        var shaped = HttpProblem.builder()
                .withType(problem.getType() == null ? Problems.NO_SPECIAL_TYPE : problem.getType())
                .withTitle(problem.getTitle())
                .withStatus(status)
                .withDetail(problem.getDetail());
        problem.getHeaders().forEach(shaped::withHeader);
        problem.getParameters().forEach((name, value) -> {
            switch (name) {
                case "violations" -> shaped.with("errors", errors((Iterable<?>) value));
                case "field" -> shaped.with("errors", List.of(new FieldError(value.toString(), problem.getDetail())));
                default -> shaped.with(name, value);
            }
        });
        return shaped.build();
    }

    /** Nobody knows then whether it took place. The failure of the database itself is only "suppressed" in this one. */
    private static boolean commitFailed(Throwable failure) {
        return causes(failure)
                .filter(RollbackException.class::isInstance)
                .findFirst()
                .filter(rollback -> Stream.of(rollback.getSuppressed()).anyMatch(ProblemNormalizer::willPass))
                .isPresent();
    }

    private static List<FieldError> errors(Iterable<?> violations) {
        return StreamSupport.stream(violations.spliterator(), false)
                .map(Violation.class::cast)
                .map(violation ->
                        new FieldError(violation.field.isEmpty() ? "body" : violation.field, violation.message))
                .toList();
    }

    /**
     * No connection (class 08, or no state at all: the pool has none), too few resources (53), a shutdown (57), others at
     * work on the same rows (40), or an end that we have set ourselves (infra/postgres/database.sql): to the wait for a lock
     * (55P03), to a transaction in which nothing happens (25P03), and to any transaction (25P04).
     */
    private static boolean willPass(Throwable failure) {
        return causes(failure)
                .filter(SQLException.class::isInstance)
                .limit(1)
                .map(cause -> ((SQLException) cause).getSQLState())
                .anyMatch(
                        state -> state == null || TIMEOUTS.contains(state) || PASSING.contains(state.substring(0, 2)));
    }

    /** Then there is nobody to answer to, and no mistake but perhaps that it took long. */
    private static boolean callerLeft(Throwable cause) {
        return cause instanceof ClosedChannelException || cause instanceof HttpClosedException;
    }

    /** {@code quarkus.http.read-timeout}; Quarkus has no type for it. */
    private static boolean bodyDidNotCome(Throwable cause) {
        return cause instanceof IOException && "Read timed out".equals(cause.getMessage());
    }

    /** From the outermost on; not without end, since Vert.x makes circles of them. */
    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MOST_CAUSES);
    }
}
