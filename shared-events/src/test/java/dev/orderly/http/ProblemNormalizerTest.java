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

/** What will pass by itself is a 503, and says whether anything may have been changed. */
class ProblemNormalizerTest {

    private static final SQLException LOST = new SQLException("terminating connection", "57P01");

    @Test
    void a_database_that_is_lost_before_the_commit_is_unavailable() {
        var problem = shapeOf(new IllegalStateException(LOST));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getDetail()).contains("Nothing was changed");
    }

    @ParameterizedTest
    @CsvSource({
        "57014, a statement took too long",
        "55P03, a lock did not come",
        "25P03, nothing happened in a transaction",
        "25P04, a transaction took too long"
    })
    void what_our_own_timeouts_have_ended_may_be_tried_again(String state, String why) {
        var problem = shapeOf(new IllegalStateException(new SQLException(why, state)));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getHeaders()).containsEntry("Retry-After", 1);
        assertThat(problem.getDetail()).contains("Nothing was changed");
    }

    @Test
    void a_database_that_is_lost_during_the_commit_is_unavailable_and_nothing_is_promised() {
        var commit = new RollbackException("ARJUNA016053: Could not commit transaction.");
        commit.addSuppressed(new IllegalStateException(LOST));

        var problem = shapeOf(new UndeclaredThrowableException(commit));

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getDetail()).contains("may have been done, or not");
    }

    @Test
    void a_commit_that_the_data_does_not_allow_is_an_error_of_ours() {
        var commit = new RollbackException("ARJUNA016053: Could not commit transaction.");
        commit.addSuppressed(new SQLException("a deferred constraint", "23514"));

        assertThat(shapeOf(new UndeclaredThrowableException(commit)).getStatusCode())
                .isEqualTo(500);
    }

    @Test
    void causes_in_a_circle_do_not_hold_it_up() {
        var outer = new IllegalStateException("outer");
        outer.initCause(new IllegalStateException("inner", outer));

        assertThat(shapeOf(outer).getStatusCode()).isEqualTo(500);
    }

    @Test
    void a_body_that_does_not_come_is_the_callers_matter() {
        assertThat(shapeOf(new IOException("Read timed out")).getStatusCode()).isEqualTo(408);
    }

    @Test
    void what_fails_since_we_stop_may_be_repeated_and_nothing_is_promised() {
        var shape = new ProblemNormalizer();
        shape.stop(new ShutdownEvent());

        var problem = shapeOf(new IllegalStateException("EntityManagerFactory is closed"), shape);

        assertThat(problem.getStatusCode()).isEqualTo(503);
        assertThat(problem.getHeaders()).containsEntry("Retry-After", 1);
        assertThat(problem.getDetail()).contains("may have been done, or not");
    }

    private static HttpProblem shapeOf(Throwable failure) {
        return shapeOf(failure, new ProblemNormalizer());
    }

    private static HttpProblem shapeOf(Throwable failure, ProblemNormalizer shape) {
        var unshaped = HttpProblem.builder().withStatus(500).withTitle("?").build();
        return shape.apply(unshaped, ProblemContext.of(failure, "/orders"));
    }
}
