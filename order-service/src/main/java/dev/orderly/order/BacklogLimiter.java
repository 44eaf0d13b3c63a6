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
 * Load shedding: rejects new orders while more are placed than are decided. Such an order would wait until
 * its deadline, be cancelled, and have cost work that others waited for.
 *
 * <p>The limit is on the backlog's age, not on its length: how many orders can be decided in time depends on
 * the machines, and on what has failed at the moment. The backlog is too old when
 * {@value #OVERLOAD_THRESHOLD} orders are undecided for longer than a third of their deadline; fewer may wait
 * for other reasons, as those behind a parked event do. Payment methods are limited apart, because they wait
 * for different services: an outage of the card gateway is no reason to reject payment by balance.
 *
 * <p>It works as a circuit breaker. That the backlog has gone does not show in its age: orders that timed out
 * are decided, but their compensation is still ahead of any new order. So while the circuit is open,
 * {@value #PROBES_PER_SECOND} orders a second are admitted as probes (half-open), and it closes when fewer
 * than {@value #RECOVERY_THRESHOLD} of the probes of {@link #PROBE_WINDOW} have become too old.
 */
@ApplicationScoped
public class BacklogLimiter {

    private static final Logger LOG = Logger.getLogger(BacklogLimiter.class);

    private static final int OVERLOAD_THRESHOLD = 100;

    /** Per payment method and instance. */
    private static final int PROBES_PER_SECOND = 10;

    private static final Duration PROBE_WINDOW = Duration.ofSeconds(5);

    private static final Duration ANY_AGE = Duration.ofDays(36_500);

    /** A fifth of the probes: single ones may wait for other reasons. */
    private static final int RECOVERY_THRESHOLD = 10;

    private final Orders orders;
    private final Clock clock;
    private final Duration maxAge;
    private final Map<PaymentMethod, Open> open = new ConcurrentHashMap<>();

    /** @param probes how many orders are still admitted until the next refresh */
    private record Open(Instant since, AtomicInteger probes) {}

    BacklogLimiter(Orders orders, Clock clock, @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        this.orders = orders;
        this.clock = clock;
        this.maxAge = deadline.dividedBy(3);
    }

    /** Whether the backlog of a payment method is too old, as of the last refresh. */
    public boolean isOverloaded(PaymentMethod method) {
        return open.containsKey(method);
    }

    /** Whether to place one more order of a payment method: always, or as a probe under overload. */
    boolean tryAdmit(PaymentMethod method) {
        var circuit = open.get(method);
        return circuit == null || circuit.probes.getAndDecrement() > 0;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void refresh() throws SQLException {
        var now = clock.instant();
        for (var method : PaymentMethod.values()) {
            var circuit = open.get(method);
            if (circuit == null) {
                if (orders.countUndecided(method, maxAge, ANY_AGE, OVERLOAD_THRESHOLD) >= OVERLOAD_THRESHOLD) {
                    LOG.warnf(
                            "rejecting all but %d orders a second by %s: %d or more are undecided for longer than %s",
                            PROBES_PER_SECOND, method, OVERLOAD_THRESHOLD, maxAge);
                    open.put(method, new Open(now, new AtomicInteger(PROBES_PER_SECOND)));
                }
            } else if (hasRecovered(method, circuit.since, now)) {
                LOG.warnf("admitting all orders by %s again", method);
                open.remove(method);
            } else {
                open.put(method, new Open(circuit.since, new AtomicInteger(PROBES_PER_SECOND)));
            }
        }
    }

    private boolean hasRecovered(PaymentMethod method, Instant since, Instant now) throws SQLException {
        var oldestProbe = maxAge.plus(PROBE_WINDOW);
        return since.isBefore(now.minus(oldestProbe))
                && orders.countUndecided(method, maxAge, oldestProbe, RECOVERY_THRESHOLD) < RECOVERY_THRESHOLD;
    }
}
