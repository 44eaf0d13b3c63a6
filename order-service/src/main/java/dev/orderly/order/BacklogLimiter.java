package dev.orderly.order;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.events.PaymentMethod;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
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
 *
 * <p>Orders that were given up are undecided no longer, and yet the other services have still to do, and undo, what they were
 * placed for, before anything newer. That this is over shows only in orders that come after them; so {@value #PROBES} a second
 * are accepted all the same (as by a circuit breaker that is half open), and all others when of those who have just become too
 * old fewer than {@value #FEW} are undecided.
 */
@ApplicationScoped
public class BacklogLimiter {

    private static final Logger LOG = Logger.getLogger(BacklogLimiter.class);

    private static final int TOO_MANY = 100;

    /** Per second, payment method and instance. */
    private static final int PROBES = 10;

    /** Of so many seconds' probes it is looked at what became of them. */
    private static final Duration PROBING = Duration.ofSeconds(5);

    /** A fifth of them: single ones wait for reasons of their own. */
    private static final int FEW = 10;

    private final Orders orders;
    private final Clock clock;
    private final Duration patience;
    private final Map<PaymentMethod, Closed> closed = new ConcurrentHashMap<>();

    /** @param probes how many orders may still be placed until the next look */
    private record Closed(Instant since, AtomicInteger probes) {}

    BacklogLimiter(Orders orders, Clock clock, @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        this.orders = orders;
        this.clock = clock;
        this.patience = deadline.dividedBy(3);
    }

    /** Whether too many orders of a payment method wait; as of the last look, which is a second ago if all is well. */
    public boolean isTooOld(PaymentMethod method) {
        return closed.containsKey(method);
    }

    /** Whether one more order of a payment method is to be placed: always, unless too many wait; then a few. */
    boolean admits(PaymentMethod method) {
        var now = closed.get(method);
        return now == null || now.probes.getAndDecrement() > 0;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void look() throws SQLException {
        var now = clock.instant();
        for (var method : PaymentMethod.values()) {
            var before = closed.get(method);
            if (before == null) {
                if (orders.undecided(method, Instant.EPOCH, now.minus(patience), TOO_MANY) >= TOO_MANY) {
                    closed.put(method, close(method, now));
                }
            } else if (isOver(method, before.since, now)) {
                LOG.warnf("accepting all orders by %s again", method);
                closed.remove(method);
            } else {
                closed.put(method, new Closed(before.since, new AtomicInteger(PROBES)));
            }
        }
    }

    private boolean isOver(PaymentMethod method, Instant since, Instant now) throws SQLException {
        var end = now.minus(patience);
        return since.isBefore(end.minus(PROBING)) && orders.undecided(method, end.minus(PROBING), end, FEW) < FEW;
    }

    private Closed close(PaymentMethod method, Instant now) {
        LOG.warnf(
                "refusing all but %d orders by %s a second: %d or more are undecided for longer than %s",
                PROBES, method, TOO_MANY, patience);
        return new Closed(now, new AtomicInteger(PROBES));
    }
}
