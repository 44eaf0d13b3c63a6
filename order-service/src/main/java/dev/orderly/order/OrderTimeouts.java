package dev.orderly.order;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.order.SagaProgress.Ends;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * The saga's timeout: cancels orders that are undecided at their deadline, because a service does not answer.
 * An answer that comes later is compensated by the service that gave it, as after any cancellation: stock and
 * money come back.
 *
 * <p>But an answer that is on the topic already is in time: after an outage of this service there is one for
 * nearly every order, and each would be paid, cancelled and refunded. So the saga first gets to read what was
 * published when the orders were found to be overdue. If it does not come that far, they are cancelled all
 * the same: every order ends.
 *
 * <p>Orders are overdue by the database's clock: that of an instance may be wrong.
 */
@ApplicationScoped
class OrderTimeouts {

    private static final Logger LOG = Logger.getLogger(OrderTimeouts.class);

    /** Orders of one transaction. */
    private static final int MAX_BATCH = 500;

    private final OrderCommands commands;
    private final Orders orders;
    private final SagaProgress saga;
    private final Clock clock;
    private final Duration deadline;
    private final Duration maxCatchUp;

    /** What waits for the saga, or null. */
    private volatile Overdue overdue;

    /**
     * Orders that are overdue.
     *
     * @param before all that were recorded before, by the database's clock
     * @param found when, on this instance's clock
     * @param ends of the topic, taken after the deadline of the orders
     */
    private record Overdue(OffsetDateTime before, Instant found, Ends ends) {
        Overdue with(Ends newEnds) {
            return new Overdue(before, found, newEnds);
        }
    }

    OrderTimeouts(
            OrderCommands commands,
            Orders orders,
            SagaProgress saga,
            Clock clock,
            @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        this.commands = commands;
        this.orders = orders;
        this.saga = saga;
        this.clock = clock;
        this.deadline = deadline;
        this.maxCatchUp = deadline.dividedBy(2);
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void cancelOverdue() throws SQLException {
        var found = overdue == null ? findOverdue() : Optional.of(overdue);
        if (found.isEmpty()) {
            return;
        }
        var waiting = found.get().ends.equals(Ends.UNKNOWN) ? found.get().with(saga.ends()) : found.get();
        overdue = waiting;
        if (!saga.hasPassed(waiting.ends)) {
            // In either direction: a clock that was put back must not make all wait for as long.
            if (Duration.between(waiting.found, clock.instant()).abs().compareTo(maxCatchUp) < 0) {
                return;
            }
            LOG.warnf("the saga has not caught up with its topic within %s; it is not waited for", maxCatchUp);
        }
        overdue = null;
        cancelUndecidedBefore(waiting.before);
    }

    private Optional<Overdue> findOverdue() throws SQLException {
        return orders.overdueTime(deadline).map(before -> new Overdue(before, clock.instant(), Ends.UNKNOWN));
    }

    private void cancelUndecidedBefore(OffsetDateTime time) throws SQLException {
        int cancelled;
        do {
            cancelled = commands.cancelUndecidedBefore(time, MAX_BATCH);
            if (cancelled > 0) {
                LOG.warnf("cancelled %d orders that were not decided within %s", cancelled, deadline);
            }
        } while (cancelled == MAX_BATCH);
    }
}
