package dev.orderly.inventory;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.summingLong;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;

/**
 * The reservation of stock for an order.
 *
 * <pre>
 *   NONE ── placed, all there ──► RESERVED ── confirmed ───────────► COMMITTED
 *    │ │                             └─────── rejected, cancelled ─► RELEASED
 *    │ └─── placed, some short ──► REJECTED                             ▲
 *    └───── rejected, cancelled before it was placed ───────────────────┘
 * </pre>
 *
 * The three final states never change: a repeated event has no effect, and an order that was cancelled before
 * its OrderPlaced arrived never reserves anything.
 */
final class Reservation {

    enum Status {
        /** No event of the order has been processed yet. Never stored. */
        NONE,
        RESERVED,
        REJECTED,
        COMMITTED,
        RELEASED
    }

    /** A quantity of a SKU; an order has one item per SKU. */
    record Item(String sku, long quantity) {}

    private final UUID orderId;
    private Status status;
    private List<Item> items;

    /** @param items what is, or was, reserved */
    Reservation(UUID orderId, Status status, List<Item> items) {
        this.orderId = orderId;
        this.status = status;
        this.items = List.copyOf(items);
    }

    static Reservation none(UUID orderId) {
        return new Reservation(orderId, Status.NONE, List.of());
    }

    /**
     * Reserves all lines of the order, or nothing.
     *
     * @param stock by SKU, changed by this; a missing SKU is out of stock
     * @return the event to publish; empty when it was published before, or the order has ended already
     */
    Optional<OrderEvent> reserve(OrderPlaced placed, Map<String, Stock> stock, Instant now) {
        if (status != Status.NONE) {
            return Optional.empty();
        }
        var requested = items(placed.lines());
        var outOfStock = requested.stream()
                .filter(item -> !suffices(stock.get(item.sku()), item.quantity()))
                .map(Item::sku)
                .toList();
        if (!outOfStock.isEmpty()) {
            status = Status.REJECTED;
            return Optional.of(new StockRejected(orderId, outOfStock, now));
        }
        items = requested;
        transition(Status.RESERVED, stock, Stock::reserve);
        return Optional.of(new StockReserved(
                orderId,
                placed.customerId(),
                placed.total(),
                placed.paymentMethod(),
                placed.cardId(),
                placed.cardToken(),
                now));
    }

    /**
     * The order is confirmed: what is reserved is sold.
     *
     * @throws NotReserved when nothing is reserved for the order
     */
    void commit(Map<String, Stock> stock) {
        switch (status) {
            case RESERVED -> transition(Status.COMMITTED, stock, Stock::sell);
            case COMMITTED -> {}
            case NONE, REJECTED, RELEASED -> throw new NotReserved(this, "be sold");
        }
    }

    /**
     * The order is rejected or cancelled: what is reserved is available again, and nothing is reserved later.
     *
     * @throws NotReserved when it is sold
     */
    void release(Map<String, Stock> stock) {
        switch (status) {
            case NONE -> status = Status.RELEASED;
            case RESERVED -> transition(Status.RELEASED, stock, Stock::release);
            case REJECTED, RELEASED -> {}
            case COMMITTED -> throw new NotReserved(this, "be released");
        }
    }

    private void transition(Status next, Map<String, Stock> stock, BiFunction<Stock, Long, Stock> move) {
        for (var item : items) {
            stock.put(item.sku(), move.apply(stock.get(item.sku()), item.quantity()));
        }
        status = next;
    }

    private static boolean suffices(Stock stock, long quantity) {
        return stock != null && stock.suffices(quantity);
    }

    /** One item per SKU: the quantities of lines of the same SKU add up. */
    private static List<Item> items(List<Line> lines) {
        return lines.stream()
                .collect(groupingBy(Line::sku, LinkedHashMap::new, summingLong(Line::quantity)))
                .entrySet()
                .stream()
                .map(entry -> new Item(entry.getKey(), entry.getValue()))
                .toList();
    }

    UUID orderId() {
        return orderId;
    }

    Status status() {
        return status;
    }

    List<Item> items() {
        return items;
    }

    /** The event requires a reservation in another state. */
    static final class NotReserved extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotReserved(Reservation reservation, String action) {
            super("the stock of order " + reservation.orderId + " cannot " + action + ": its reservation is "
                    + reservation.status);
        }
    }
}
