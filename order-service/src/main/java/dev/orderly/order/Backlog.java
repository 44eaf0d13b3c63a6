package dev.orderly.order;

import dev.orderly.messaging.Migration;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Knows when more orders are accepted than are being decided. An order that is accepted then waits until its time is up, is
 * cancelled, and has cost the work that others waited for; so it is better refused at the door.
 *
 * <p>The backlog is measured by how old it is, not by how long: how much can be done in an order's time depends on the
 * machines, and on what is broken just now. It is too old when {@value #TOO_MANY} orders are undecided for longer than half
 * of their time. Fewer may wait for reasons of their own, as those behind a parked event do.
 */
@ApplicationScoped
class Backlog {

    private static final Logger LOG = Logger.getLogger(Backlog.class);

    private static final int TOO_MANY = 100;

    private final Orders orders;
    private final Clock clock;
    private final Duration patience;
    private volatile boolean tooOld;

    Backlog(
            Orders orders,
            Clock clock,
            @ConfigProperty(name = "orderly.order.deadline") Duration deadline,
            MeterRegistry metrics) {
        this.orders = orders;
        this.clock = clock;
        this.patience = deadline.dividedBy(2);
        metrics.gauge("orderly.orders.refused", this, backlog -> backlog.tooOld ? 1 : 0);
    }

    /** As of the last second. */
    boolean isTooOld() {
        return tooOld;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = Migration.class)
    void look() throws SQLException {
        var before = tooOld;
        tooOld = orders.countUndecidedBefore(clock.instant().minus(patience), TOO_MANY) == TOO_MANY;
        if (tooOld != before) {
            LOG.warn(
                    tooOld
                            ? "refusing new orders: too many are undecided for longer than " + patience
                            : "accepting orders again");
        }
    }
}
