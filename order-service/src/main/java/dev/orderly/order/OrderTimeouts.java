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
 * The saga's timeout: cancels orders that are undecided at their deadline, because a service does not answer.
 * An answer that comes later is compensated by the service that gave it, as after any cancellation: stock and
 * money come back.
 */
@ApplicationScoped
class OrderTimeouts {

    private static final Logger LOG = Logger.getLogger(OrderTimeouts.class);

    /** Orders of one transaction. */
    private static final int MAX_BATCH = 500;

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
            cancelled = commands.cancelUndecidedBefore(clock.instant().minus(deadline), MAX_BATCH);
            if (cancelled > 0) {
                LOG.warnf("cancelled %d orders that were not decided within %s", cancelled, deadline);
            }
        } while (cancelled == MAX_BATCH);
    }
}
