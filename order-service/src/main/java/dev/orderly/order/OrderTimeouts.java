package dev.orderly.order;

import dev.orderly.database.DatabaseMigration;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Ends the waiting for services that do not answer: an order that is still undecided when its time is up is cancelled. An
 * answer that comes later is undone by whoever gave it, as after any cancellation: the stock comes back, the money too.
 */
@ApplicationScoped
class OrderTimeouts {

    private static final Logger LOG = Logger.getLogger(OrderTimeouts.class);

    /** Orders of one transaction. */
    private static final int BATCH = 500;

    private final OrderCommands commands;
    private final Clock clock;
    private final Duration deadline;

    OrderTimeouts(
            OrderCommands commands, Clock clock, @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        this.commands = commands;
        this.clock = clock;
        this.deadline = deadline;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void cancelOverdue() throws SQLException {
        int cancelled;
        do {
            cancelled = commands.cancelUndecidedBefore(clock.instant().minus(deadline), BATCH);
            if (cancelled > 0) {
                LOG.warnf("cancelled %d orders that were not decided within %s", cancelled, deadline);
            }
        } while (cancelled == BATCH);
    }
}
