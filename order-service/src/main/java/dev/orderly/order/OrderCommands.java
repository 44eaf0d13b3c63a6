package dev.orderly.order;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.orderly.events.EventJson;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.NewEvent;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.Traceparent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.Transactional;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * What a customer can do to an order. Each command is one transaction that holds the order and the event that tells of it;
 * when it returns, both are durable.
 */
@ApplicationScoped
class OrderCommands {

    /** What a customer wants. */
    record Wish(UUID customerId, List<Item> items, PaymentMethod paymentMethod) {
        record Item(String sku, int quantity) {}
    }

    /** These products are not in the catalogue. */
    static final class UnknownProducts extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Set<String> skus;

        UnknownProducts(Set<String> skus) {
            super("not in the catalogue: " + String.join(", ", skus));
            this.skus = skus;
        }

        Set<String> skus() {
            return skus;
        }
    }

    /** The idempotency key was used before, for another request. */
    static final class KeyReused extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Time-ordered, so that new orders are neighbours in every index. */
    private static final NoArgGenerator IDS = Generators.timeBasedEpochRandomGenerator();

    private final IdempotencyKeys keys;
    private final Outbox outbox;
    private final Clock clock;

    OrderCommands(IdempotencyKeys keys, Outbox outbox, Clock clock) {
        this.keys = keys;
        this.outbox = outbox;
        this.clock = clock;
    }

    /**
     * Places an order at today's prices; a repeated request gets the order that its first placed.
     *
     * @throws KeyReused when the customer used the key for another wish
     * @throws UnknownProducts when some are not in the catalogue
     * @throws IllegalArgumentException when the prices are in several currencies
     * @throws ArithmeticException when the total does not fit
     */
    @Transactional(rollbackOn = SQLException.class) // By itself it would commit after a checked exception.
    Order place(Wish wish, String idempotencyKey, String traceparent) throws SQLException {
        var id = IDS.generate();
        var hash = sha256(EventJson.writeValue(wish));
        var before = keys.take(wish.customerId(), idempotencyKey, new IdempotencyKeys.Use(hash, id));
        if (before.isPresent()) {
            if (!MessageDigest.isEqual(hash, before.get().requestHash())) {
                throw new KeyReused();
            }
            return Order.findById(before.get().orderId());
        }
        var order = new Order(id, wish.customerId(), priced(wish.items()), wish.paymentMethod(), clock.instant());
        order.persist();
        publish(order, order.placed(), traceparent);
        return order;
    }

    /** What came of a cancellation. */
    enum Cancellation {
        DONE,
        TOO_LATE,
        UNKNOWN_ORDER
    }

    /** Cancels an order that is not decided yet. */
    @Transactional(rollbackOn = SQLException.class)
    Cancellation cancel(UUID id, String traceparent) throws SQLException {
        var order = Order.lockAll(Set.of(id)).get(id);
        if (order == null) {
            return Cancellation.UNKNOWN_ORDER;
        }
        var cancelled = order.cancel(clock.instant());
        if (cancelled.isEmpty()) {
            return Cancellation.TOO_LATE;
        }
        publish(order, cancelled.get(), traceparent);
        return Cancellation.DONE;
    }

    /** Cancels orders that nobody has decided since a time; what was done for them is undone like for any other. */
    @Transactional(rollbackOn = SQLException.class)
    int cancelUndecidedBefore(Instant time, int limit) throws SQLException {
        var overdue = Order.lockUndecidedBefore(time, limit);
        var now = clock.instant();
        var events = overdue.stream()
                .map(order -> new NewEvent(order.expire(now).orElseThrow(), order.version()))
                .toList();
        outbox.add(events, _ -> Traceparent.following(null));
        return overdue.size();
    }

    private void publish(Order order, OrderEvent event, String traceparent) throws SQLException {
        outbox.add(List.of(new NewEvent(event, order.version())), _ -> Traceparent.following(traceparent));
    }

    private static List<Line> priced(List<Wish.Item> items) {
        var wanted = items.stream().map(Wish.Item::sku).collect(toSet());
        var prices = Product.prices(wanted);
        if (prices.size() < wanted.size()) {
            wanted.removeAll(prices.keySet());
            throw new UnknownProducts(wanted);
        }
        return items.stream()
                .map(item -> new Line(item.sku(), item.quantity(), prices.get(item.sku())))
                .toList();
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
