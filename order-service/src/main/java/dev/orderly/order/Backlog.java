package dev.orderly.order;

import static java.util.stream.Collectors.toCollection;

import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.Migration;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Knows when more orders are accepted than are being decided. An order that is accepted then waits until its time is up, is
 * cancelled, and has cost the work that others waited for; so it is better refused.
 *
 * <p>The backlog is measured by how old it is, not by how long: how much can be done in an order's time depends on the
 * machines, and on what is broken just now. It is too old when {@value #TOO_MANY} orders are undecided for longer than a third
 * of their time; fewer may wait for reasons of their own, as those behind a parked event do. Whoever pays in another way waits
 * for others: a gateway that is away is no reason to refuse those who do not need it.
 */
@ApplicationScoped
class Backlog {

    private static final Logger LOG = Logger.getLogger(Backlog.class);

    private static final int TOO_MANY = 100;

    private final Orders orders;
    private final Clock clock;
    private final Duration patience;
    private volatile Set<PaymentMethod> tooOld = Set.of();

    Backlog(Orders orders, Clock clock, @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        this.orders = orders;
        this.clock = clock;
        this.patience = deadline.dividedBy(3);
    }

    /** The payment methods of which too many orders wait; as of the last look, which is a second ago if all is well. */
    Set<PaymentMethod> tooOld() {
        return tooOld;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = Migration.class)
    void look() throws SQLException {
        var waiting = orders.undecidedBefore(clock.instant().minus(patience), TOO_MANY);
        var now = waiting.entrySet().stream()
                .filter(method -> method.getValue() == TOO_MANY)
                .map(Map.Entry::getKey)
                .collect(toCollection(() -> EnumSet.noneOf(PaymentMethod.class)));
        if (!now.equals(tooOld)) {
            if (now.isEmpty()) {
                LOG.warn("accepting all orders again");
            } else {
                LOG.warnf(
                        "refusing orders by %s: %d or more are undecided for longer than %s", now, TOO_MANY, patience);
            }
            tooOld = now;
        }
    }
}
