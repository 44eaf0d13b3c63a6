package dev.orderly.order;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.catalog.Product;
import dev.orderly.events.CardToken;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.messaging.Traceparent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.Transactional;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * What a customer can do to orders. Each command is one transaction that holds the orders and the events that tell of them;
 * when it returns, both are durable.
 */
@ApplicationScoped
public class OrderCommands {

    /**
     * What a customer wants.
     *
     * @param cardToken with payment by card, and only then; else null
     */
    public record Wish(
            UUID customerId,
            List<Item> items,
            PaymentMethod paymentMethod,
            @JsonInclude(JsonInclude.Include.NON_NULL) CardToken cardToken) {
        public record Item(String sku, int quantity) {}
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

    /** More orders of the wish's payment method are waiting than can be decided in time. */
    static final class TooManyWaiting extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A wish as it came in, with the id that the order is to have. */
    public record Placement(UUID orderId, Wish wish, String idempotencyKey, String traceparent) {
        IdempotencyKeys.Key key() {
            return new IdempotencyKeys.Key(wish.customerId, idempotencyKey);
        }
    }

    /** What came of a wish. */
    public sealed interface Answer {
        /** Its order, which may be one that an earlier request with its key has placed. */
        record Accepted(Order order) implements Answer {}

        /**
         * @param why {@link KeyReused} when the customer used the key for another wish; {@link UnknownProducts} when some are
         *     not in the catalogue; {@link TooManyWaiting}; {@link IllegalArgumentException} when the prices are in several currencies; {@link
         *     ArithmeticException} when the total does not fit
         */
        record Refused(RuntimeException why) implements Answer {}
    }

    private final Orders orders;
    private final IdempotencyKeys keys;
    private final BacklogLimiter backlog;
    private final Outbox outbox;
    private final Clock clock;

    OrderCommands(Orders orders, IdempotencyKeys keys, BacklogLimiter backlog, Outbox outbox, Clock clock) {
        this.orders = orders;
        this.keys = keys;
        this.backlog = backlog;
        this.outbox = outbox;
        this.clock = clock;
    }

    /**
     * Places orders at today's prices; a repeated request gets the order that its first placed.
     *
     * @param admitted true for orders that are to be placed whatever the {@link BacklogLimiter}; else only as many are as it admits
     * @return an answer to each, in their order
     */
    @Transactional(rollbackOn = SQLException.class) // By itself it would commit after a checked exception.
    public List<Answer> place(List<Placement> placements, boolean admitted) throws SQLException {
        var placed = new LinkedHashMap<UUID, Order>();
        var refused = new HashMap<UUID, RuntimeException>();
        price(placements, placed, refused);
        if (!admitted) {
            refuseTooMany(placements, placed, refused);
        }
        placed.keySet().retainAll(take(placements, placed.keySet()));
        orders.add(placed.values());
        publish(placements, placed);

        var repeated = placements.stream()
                .filter(placement -> !placed.containsKey(placement.orderId))
                .toList();
        var uses = repeated.isEmpty()
                ? Map.<IdempotencyKeys.Key, IdempotencyKeys.Use>of()
                : keys.uses(repeated.stream().map(Placement::key).collect(toSet()));
        var earlier = uses.isEmpty()
                ? Map.<UUID, Order>of()
                : orders.find(
                        uses.values().stream().map(IdempotencyKeys.Use::orderId).collect(toSet()));
        return placements.stream()
                .map(placement -> placed.containsKey(placement.orderId)
                        ? new Answer.Accepted(placed.get(placement.orderId))
                        : answer(placement, uses.get(placement.key()), earlier, refused))
                .toList();
    }

    private static Answer answer(
            Placement placement,
            IdempotencyKeys.Use before,
            Map<UUID, Order> earlier,
            Map<UUID, RuntimeException> refused) {
        if (before == null) {
            return new Answer.Refused(refused.get(placement.orderId));
        }
        return MessageDigest.isEqual(hash(placement), before.requestHash())
                ? new Answer.Accepted(earlier.get(before.orderId()))
                : new Answer.Refused(new KeyReused());
    }

    private void price(List<Placement> placements, Map<UUID, Order> priced, Map<UUID, RuntimeException> refused) {
        var prices = Product.prices(placements.stream()
                .flatMap(placement -> placement.wish.items.stream())
                .map(Wish.Item::sku)
                .collect(toSet()));
        var now = clock.instant();
        for (var placement : placements) {
            var wish = placement.wish;
            try {
                priced.put(
                        placement.orderId,
                        new Order(
                                placement.orderId,
                                wish.customerId,
                                lines(wish.items, prices),
                                wish.paymentMethod,
                                now));
            } catch (UnknownProducts | IllegalArgumentException | ArithmeticException e) {
                refused.put(placement.orderId, e);
            }
        }
    }

    /** Those that are repeated get their answer in any case, and take nobody's place. */
    private void refuseTooMany(List<Placement> placements, Map<UUID, Order> placed, Map<UUID, RuntimeException> refused)
            throws SQLException {
        var limited = placements.stream()
                .filter(placement -> placed.containsKey(placement.orderId))
                .filter(placement -> backlog.isTooOld(placement.wish.paymentMethod))
                .toList();
        if (limited.isEmpty()) {
            return;
        }
        var repeated =
                keys.uses(limited.stream().map(Placement::key).collect(toSet())).keySet();
        for (var placement : limited) {
            if (!repeated.contains(placement.key()) && !backlog.admits(placement.wish.paymentMethod)) {
                placed.remove(placement.orderId);
                refused.put(placement.orderId, new TooManyWaiting());
            }
        }
    }

    private Set<UUID> take(List<Placement> placements, Set<UUID> placed) throws SQLException {
        var wanted = new HashMap<UUID, IdempotencyKeys.Key>();
        var hashes = new HashMap<UUID, byte[]>();
        for (var placement : placements) {
            if (placed.contains(placement.orderId)) {
                wanted.put(placement.orderId, placement.key());
                hashes.put(placement.orderId, hash(placement));
            }
        }
        return keys.take(wanted, hashes);
    }

    private void publish(List<Placement> placements, Map<UUID, Order> placed) throws SQLException {
        var causes = new HashMap<UUID, Placement>();
        placements.forEach(placement -> causes.put(placement.orderId, placement));
        var events = placed.values().stream()
                .map(order -> new OutgoingEvent(order.placed(causes.get(order.id()).wish.cardToken), order.version()))
                .toList();
        outbox.add(
                events, event -> Traceparent.following(causes.get(event.event().id()).traceparent));
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
        var order = orders.lock(Set.of(id)).get(id);
        if (order == null) {
            return Cancellation.UNKNOWN_ORDER;
        }
        var cancelled = order.cancel(clock.instant());
        if (cancelled.isEmpty()) {
            return Cancellation.TOO_LATE;
        }
        orders.saveDecisions(List.of(order));
        outbox.add(
                List.of(new OutgoingEvent(cancelled.get(), order.version())), _ -> Traceparent.following(traceparent));
        return Cancellation.DONE;
    }

    /** Cancels orders that nobody has decided since a time; what was done for them is undone like for any other. */
    @Transactional(rollbackOn = SQLException.class)
    int cancelUndecidedBefore(Instant time, int limit) throws SQLException {
        var overdue = orders.lockUndecidedBefore(time, limit);
        var now = clock.instant();
        var events = overdue.stream()
                .map(order -> new OutgoingEvent(order.expire(now).orElseThrow(), order.version()))
                .toList();
        orders.saveDecisions(overdue);
        outbox.add(events, _ -> Traceparent.following(null));
        return overdue.size();
    }

    private static List<Line> lines(List<Wish.Item> items, Map<String, Money> prices) {
        var unknown = items.stream()
                .map(Wish.Item::sku)
                .filter(sku -> !prices.containsKey(sku))
                .collect(toSet());
        if (!unknown.isEmpty()) {
            throw new UnknownProducts(unknown);
        }
        return items.stream()
                .map(item -> new Line(item.sku(), item.quantity(), prices.get(item.sku())))
                .toList();
    }

    private static byte[] hash(Placement placement) {
        return sha256(EventJson.writeValue(placement.wish));
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
