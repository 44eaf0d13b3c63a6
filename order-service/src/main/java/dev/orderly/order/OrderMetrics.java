package dev.orderly.order;

import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.GaugeQuery;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.TransactionPhase;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Orders as an operator counts them: accepted, shed, decided. After the commit, since a transaction that
 * is repeated has accepted and decided nothing. All counters exist from the start: one that appears with
 * its first order has no rate before the second.
 */
@ApplicationScoped
@Startup
class OrderMetrics {

    /** Orders that one transaction has placed. */
    record Accepted(int orders) {}

    /** Orders that one transaction has decided. */
    record Decided(Collection<Order> orders) {}

    private enum Outcome {
        CONFIRMED,
        REJECTED,
        /** By the customer. */
        CANCELLED,
        /** Cancelled at the deadline. */
        EXPIRED;

        static Outcome of(Order order) {
            return switch (order.status()) {
                case CONFIRMED -> CONFIRMED;
                case REJECTED -> REJECTED;
                case CANCELLED -> order.isCancelledByCustomer() ? CANCELLED : EXPIRED;
                case PENDING, RESERVED, OUT_OF_STOCK, PAID, DECLINED, REFUNDED ->
                    throw new IllegalArgumentException(order.id() + " is not decided");
            };
        }
    }

    private final Counter accepted;
    private final Map<Outcome, Counter> decided;
    private final Map<PaymentMethod, Counter> shed;

    OrderMetrics(MeterRegistry metrics, @ConfigProperty(name = "orderly.order.deadline") Duration deadline) {
        accepted = metrics.counter("orderly.orders.accepted");
        decided = counters(Outcome.class, outcome -> metrics.counter("orderly.orders.decided", "outcome", outcome));
        shed = counters(PaymentMethod.class, method -> metrics.counter("orderly.orders.shed", "method", method));
        TimeGauge.builder("orderly.order.deadline", deadline::toMillis, TimeUnit.MILLISECONDS)
                .description("From placed to decided; alerts are relative to it")
                .strongReference(true)
                .register(metrics);
    }

    private static <K extends Enum<K>> Map<K, Counter> counters(Class<K> keys, Function<String, Counter> counter) {
        return Stream.of(keys.getEnumConstants())
                .collect(Collectors.toMap(
                        Function.identity(),
                        key -> counter.apply(key.name().toLowerCase(Locale.ROOT)),
                        (first, _) -> first,
                        () -> new EnumMap<>(keys)));
    }

    void count(@Observes(during = TransactionPhase.AFTER_SUCCESS) Accepted event) {
        accepted.increment(event.orders);
    }

    void count(@Observes(during = TransactionPhase.AFTER_SUCCESS) Decided event) {
        event.orders.forEach(order -> decided.get(Outcome.of(order)).increment());
    }

    void countShed(PaymentMethod method) {
        shed.get(method).increment();
    }

    /** By the index of undecided orders: as much work as there are of these. */
    @Produces
    @Singleton
    static GaugeQuery undecided() {
        return new GaugeQuery("""
                SELECT metric, ARRAY['method', lower(method)], number
                FROM (SELECT method, count(recorded_at)::float8 AS orders,
                             coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 AS age
                      FROM unnest(ARRAY[%s]) AS method
                      LEFT JOIN orders ON status = 'PENDING' AND payment_method = method
                      GROUP BY method)
                CROSS JOIN LATERAL (VALUES ('orderly.orders.undecided', orders),
                                           ('orderly.orders.undecided.oldest.age.seconds', age))
                    AS gauge (metric, number)
                """.formatted(Stream.of(PaymentMethod.values())
                .map(method -> "'" + method + "'")
                .collect(Collectors.joining(", "))));
    }
}
