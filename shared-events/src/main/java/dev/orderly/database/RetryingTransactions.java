package dev.orderly.database;

import static dev.orderly.database.FailureKind.CAPACITY;
import static dev.orderly.database.FailureKind.DATA;
import static dev.orderly.database.FailureKind.OUTAGE;
import static dev.orderly.database.FailureKind.UNEXPLAINED;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.Arc;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.narayana.jta.QuarkusTransactionException;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jboss.logging.Logger;

/**
 * Transactions that survive infrastructure failures: the work is repeated from the start, with exponential
 * backoff and jitter, for as long as an outage lasts. What fails for another reason is given back as
 * rejected: at once when the data is to blame, see {@link FailureKind}, and after a few repetitions when
 * nothing explains the failure.
 */
@ApplicationScoped
public class RetryingTransactions {

    private static final Logger LOG = Logger.getLogger(RetryingTransactions.class);

    /** Longer than the timeouts of the role, so that those end a statement first. */
    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    private static final Duration MIN_PAUSE = Duration.ofMillis(50);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(5);

    /** Repetitions of a failure that nothing explains; together they take about a second. */
    private static final int MAX_UNEXPLAINED = 4;

    private final DatabaseMigration migration;
    private final DeferredWrites writes;
    private final MeterRegistry metrics;
    private final CountDownLatch stopping = new CountDownLatch(1);

    RetryingTransactions(DatabaseMigration migration, DeferredWrites writes, MeterRegistry metrics) {
        this.migration = migration;
        this.writes = writes;
        this.metrics = metrics;
        if (Arc.container() == null) {
            // The application has ended, and the instance that was notified of it is gone: a proxy has made
            // this one for work that came late.
            stopping.countDown();
        }
    }

    /** The work of one transaction. It may run several times; all runs but the last are rolled back. */
    public interface Work<T> {
        T run() throws SQLException;
    }

    /**
     * The work of one transaction on some records of a batch, those next to each other in it. It may run
     * several times, like {@link Work}.
     */
    public interface BatchWork<R, T> {
        T run(List<R> records) throws SQLException;
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }

    /**
     * Returns when the work has been committed.
     *
     * @throws DataRejectedException when the work does, a statement failed because of its data, or the work
     *     fails again and again for a reason that is not an outage
     * @throws IllegalStateException when the application stops first
     */
    public <T> T commit(Work<T> work) {
        return commit(work, MAX_UNEXPLAINED, false);
    }

    /**
     * Returns when every record has been committed or rejected, in the order of the batch: in one transaction
     * if possible. A batch that is rejected, or that cannot be done in time, is halved, until what fails is
     * alone. A record that cannot be done in time even alone is not rejected, but repeated, as in an outage.
     *
     * @param committed gets the result of each transaction, after its commit
     * @param rejected gets each record that fails alone, and why
     * @throws IllegalStateException when the application stops first
     */
    public <R, T> void commitBatch(
            List<R> batch, BatchWork<R, T> work, Consumer<T> committed, BiConsumer<R, DataRejectedException> rejected) {
        if (!batch.isEmpty()) {
            commitBatch(batch, work, committed, rejected, MAX_UNEXPLAINED);
        }
    }

    private <R, T> void commitBatch(
            List<R> batch,
            BatchWork<R, T> work,
            Consumer<T> committed,
            BiConsumer<R, DataRejectedException> rejected,
            int maxUnexplained) {
        T result;
        try {
            result = commit(() -> work.run(batch), maxUnexplained, batch.size() > 1);
        } catch (DataRejectedException e) {
            if (batch.size() == 1) {
                rejected.accept(batch.getFirst(), e);
                return;
            }
            LOG.warnf("a batch of %d failed, splitting it: %s", batch.size(), e);
            var half = batch.size() / 2;
            // What time does not heal was repeated as a whole: once for each part is enough.
            commitBatch(batch.subList(0, half), work, committed, rejected, 0);
            commitBatch(batch.subList(half, batch.size()), work, committed, rejected, 0);
            return;
        }
        committed.accept(result);
    }

    /** @param divisible whether the caller can do with less when time or memory does not suffice */
    private <T> T commit(Work<T> work, int maxUnexplained, boolean divisible) {
        var pause = MIN_PAUSE;
        var unexplained = 0;
        while (true) {
            var start = System.nanoTime();
            try {
                return attempt(work);
            } catch (RuntimeException e) {
                // While the application stops, anything may fail, and is no fault of the data.
                await(Duration.ZERO);
                var kind = kind(e, Duration.ofNanos(System.nanoTime() - start));
                if (kind == UNEXPLAINED) {
                    unexplained++;
                }
                if (kind == DATA || unexplained > maxUnexplained || kind == CAPACITY && divisible) {
                    throw e instanceof DataRejectedException rejection ? rejection : new DataRejectedException(e);
                }
                var failure = DatabaseFailure.causeOf(e);
                metrics.counter(
                                "orderly.transactions.repeated",
                                "failure",
                                kind.name().toLowerCase(Locale.ROOT),
                                "sqlstate_class",
                                FailureKind.stateClass(failure))
                        .increment();
                // A failure that is no outage is likely to be a bug, and its stack trace says where.
                LOG.warnf(
                        failure == null && kind != OUTAGE ? e : null,
                        "trying again in about %d ms: %s",
                        pause.toMillis(),
                        failure == null ? e : failure);
                await(pause);
                pause = longer(pause);
            }
        }
    }

    /**
     * Returns what needs no transaction, but another system: it is repeated for as long as an outage of that
     * lasts.
     *
     * @throws IllegalStateException when the application stops first
     */
    public <T> T untilAvailable(Supplier<T> work) {
        var pause = MIN_PAUSE;
        while (true) {
            try {
                return work.get();
            } catch (OutageException e) {
                LOG.warnf("trying again in about %d ms: %s", pause.toMillis(), e.getMessage());
                await(pause);
                pause = longer(pause);
            }
        }
    }

    private static Duration longer(Duration pause) {
        return pause.multipliedBy(2).compareTo(MAX_PAUSE) < 0 ? pause.multipliedBy(2) : MAX_PAUSE;
    }

    private <T> T attempt(Work<T> work) {
        if (!migration.isDone()) {
            throw new DatabaseFailure(new SQLTransientConnectionException("the database is not migrated yet"));
        }
        return QuarkusTransaction.requiringNew()
                .timeout((int) TIMEOUT.toSeconds())
                .call(() -> {
                    try {
                        var result = work.run();
                        writes.flush();
                        return result;
                    } catch (SQLException e) {
                        throw new DatabaseFailure(e);
                    }
                });
    }

    private static FailureKind kind(RuntimeException failure, Duration elapsed) {
        var sql = DatabaseFailure.causeOf(failure);
        var kind = sql == null ? UNEXPLAINED : FailureKind.of(sql);
        if (kind == DATA) {
            return DATA;
        }
        if (elapsed.compareTo(TIMEOUT) >= 0) {
            return CAPACITY; // However it failed: the transaction had been rolled back under it.
        }
        if (failure instanceof DataRejectedException) {
            return DATA;
        }
        if (OutageException.isCauseOf(failure)) {
            return OUTAGE;
        }
        return sql == null && failure instanceof QuarkusTransactionException ? OUTAGE : kind;
    }

    private void await(Duration pause) {
        try {
            var millis = ThreadLocalRandom.current().nextLong(pause.toMillis() / 2, pause.toMillis() * 3 / 2 + 1);
            if (stopping.await(millis, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the application stops before the work could be committed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before the work could be committed", e);
        }
    }
}
