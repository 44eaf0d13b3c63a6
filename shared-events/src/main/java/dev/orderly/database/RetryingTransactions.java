package dev.orderly.database;

import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Transactions that survive infrastructure failures: the work is repeated from the start, with exponential
 * backoff and jitter, for as long as the failure lasts. Work that fails because of a bug is repeated as well,
 * unless it throws a {@link DataRejectedException}: giving up would lose it.
 */
@ApplicationScoped
public class RetryingTransactions {

    private static final Logger LOG = Logger.getLogger(RetryingTransactions.class);

    /** Longer than the timeouts of the role, so that those end a statement first. */
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private static final Duration MIN_PAUSE = Duration.ofMillis(50);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(5);

    private final DatabaseMigration migration;
    private final CountDownLatch stopping = new CountDownLatch(1);

    RetryingTransactions(DatabaseMigration migration) {
        this.migration = migration;
    }

    /** The work of one transaction. It may run several times; all runs but the last are rolled back. */
    public interface Work<T> {
        T run() throws SQLException;
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }

    /**
     * Returns when the work has been committed.
     *
     * @throws DataRejectedException when the work does, or a statement failed because of its data
     * @throws IllegalStateException when the application stops first
     */
    public <T> T commit(Work<T> work) {
        var pause = MIN_PAUSE;
        while (true) {
            try {
                if (!migration.isDone()) {
                    throw new IllegalStateException("the database is not migrated yet");
                }
                return QuarkusTransaction.requiringNew()
                        .timeout((int) TIMEOUT.toSeconds())
                        .call(() -> {
                            try {
                                return work.run();
                            } catch (SQLException e) {
                                throw new DatabaseFailure(e);
                            }
                        });
            } catch (DataRejectedException e) {
                throw e;
            } catch (RuntimeException e) {
                var failure = DatabaseFailure.causeOf(e);
                if (failure != null && DatabaseFailure.isCausedByData(failure)) {
                    throw new DataRejectedException(e);
                }
                // A failure that is not the database's is likely to be a bug, and its stack trace says where.
                LOG.warnf(
                        failure == null ? e : null,
                        "trying again in about %d ms: %s",
                        pause.toMillis(),
                        failure == null ? e : failure);
                await(pause);
                pause = pause.multipliedBy(2).compareTo(MAX_PAUSE) < 0 ? pause.multipliedBy(2) : MAX_PAUSE;
            }
        }
    }

    private void await(Duration pause) {
        try {
            var millis = ThreadLocalRandom.current().nextLong(pause.toMillis() / 2, pause.toMillis() * 3 / 2);
            if (stopping.await(millis, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the application stops before the work could be committed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before the work could be committed", e);
        }
    }
}
