package dev.orderly.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkiverse.resteasy.problem.postprocessing.ProblemContext;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.transaction.RollbackException;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A transient failure is a 503, and says whether anything may have been changed. */
class ProblemNormalizerTest {

    private static final SQLException LOST = new SQLException("terminating connection", "57P01");

    @Test
    void a_database_that_is_lost_before_the_commit_is_unavailable() {
        var problem = normalize(new IllegalStateException(LOST));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getDetail()).contains("Nothing was changed");
    }

    @ParameterizedTest
    @CsvSource({
        "57014, a statement took too long",
        "55P03, a lock was not granted in time",
        "25P03, a transaction was idle",
        "25P04, a transaction took too long",
        "25006, the database is read-only",
        "53300, there are too many connections"
    })
    void what_the_database_could_not_do_for_now_may_be_repeated(String state, String why) {
        var problem = normalize(new IllegalStateException(new SQLException(why, state)));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getHeaders()).containsEntry("Retry-After", 1);
        assertThat(problem.getDetail()).contains("Nothing was changed");
    }

    @Test
    void a_database_that_is_lost_during_the_commit_is_unavailable_and_nothing_is_promised() {
        var commit = new RollbackException("ARJUNA016053: Could not commit transaction.");
        commit.addSuppressed(new IllegalStateException(LOST));

        var problem = normalize(new UndeclaredThrowableException(commit));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getDetail()).contains("may have been done, or not");
    }

    @Test
    void a_commit_that_the_data_does_not_allow_is_an_error_of_the_service() {
        var commit = new RollbackException("ARJUNA016053: Could not commit transaction.");
        commit.addSuppressed(new SQLException("a deferred constraint", "23514"));

        assertThat(normalize(new UndeclaredThrowableException(commit)).getStatusCode())
                .isEqualTo(500);
    }

    @Test
    void a_cycle_of_causes_ends() {
        var outer = new IllegalStateException("outer");
        outer.initCause(new IllegalStateException("inner", outer));

        assertThat(normalize(outer).getStatusCode()).isEqualTo(500);
    }

    @Test
    void a_body_that_does_not_arrive_is_an_error_of_the_client() {
        assertThat(normalize(new IOException("Read timed out")).getStatusCode()).isEqualTo(408);
    }

    @Test
    void what_fails_during_a_shutdown_may_be_repeated_and_nothing_is_promised() {
        var normalizer = new ProblemNormalizer();
        normalizer.stop(new ShutdownEvent());

        var problem = normalize(new IllegalStateException("EntityManagerFactory is closed"), normalizer);

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getHeaders()).containsEntry("Retry-After", 1);
        assertThat(problem.getDetail()).contains("may have been done, or not");
    }

    private static HttpProblem normalize(Throwable failure) {
        return normalize(failure, new ProblemNormalizer());
    }

    private static HttpProblem normalize(Throwable failure, ProblemNormalizer normalizer) {
        var generic = HttpProblem.builder().withStatus(500).withTitle("?").build();
        return normalizer.apply(generic, ProblemContext.of(failure, "/orders"));
    }
}
