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
 * What an order has of the stock.
 *
 * <pre>
 *   NONE ── placed, all there ──► RESERVED ── confirmed ───────────► COMMITTED
 *    │ │                             └─────── rejected, cancelled ─► RELEASED
 *    │ └─── placed, some short ──► REJECTED                             ▲
 *    └───── rejected, cancelled before it was placed ───────────────────┘
 * </pre>
 *
 * The three at the ends stay as they are for good, so what is told twice happens once, and an order that was given up
 * before it was heard of never takes anything.
 */
final class Reservation {

    enum Status {
        /** Nothing was heard of the order yet. Never stored. */
        NONE,
        RESERVED,
        REJECTED,
        COMMITTED,
        RELEASED
    }

    /** Pieces of a SKU; no two items of an order are of the same. */
    record Item(String sku, long quantity) {}

    private final UUID orderId;
    private Status status;
    private List<Item> items;

    /** @param items what is, or was, set aside; nothing when nothing ever was */
    Reservation(UUID orderId, Status status, List<Item> items) {
        this.orderId = orderId;
        this.status = status;
        this.items = List.copyOf(items);
    }

    static Reservation none(UUID orderId) {
        return new Reservation(orderId, Status.NONE, List.of());
    }

    /**
     * Sets aside what the order asks for: all of it, or nothing.
     *
     * @param stock by SKU, where the pieces are moved; of a SKU that is not in it there is none
     * @return the answer; empty when it was given before, or the order was given up before it was placed
     */
    Optional<OrderEvent> reserve(OrderPlaced placed, Map<String, Stock> stock, Instant now) {
        if (status != Status.NONE) {
            return Optional.empty();
        }
        var wanted = items(placed.lines());
        var outOfStock = wanted.stream()
                .filter(item -> !suffices(stock.get(item.sku()), item.quantity()))
                .map(Item::sku)
                .toList();
        if (!outOfStock.isEmpty()) {
            status = Status.REJECTED;
            return Optional.of(new StockRejected(orderId, outOfStock, now));
        }
        items = wanted;
        become(Status.RESERVED, stock, Stock::reserve);
        return Optional.of(new StockReserved(
                orderId, placed.customerId(), placed.total(), placed.paymentMethod(), placed.cardToken(), now));
    }

    /**
     * The order is confirmed: what was set aside is sold.
     *
     * @throws NotReserved when nothing is set aside for the order
     */
    void commit(Map<String, Stock> stock) {
        switch (status) {
            case RESERVED -> become(Status.COMMITTED, stock, Stock::sell);
            case COMMITTED -> {}
            case NONE, REJECTED, RELEASED -> throw new NotReserved(this, "be sold");
        }
    }

    /**
     * The order is rejected or cancelled: what was set aside is available again, and nothing will be set aside any more.
     *
     * @throws NotReserved when it is sold
     */
    void release(Map<String, Stock> stock) {
        switch (status) {
            case NONE -> status = Status.RELEASED;
            case RESERVED -> become(Status.RELEASED, stock, Stock::release);
            case REJECTED, RELEASED -> {}
            case COMMITTED -> throw new NotReserved(this, "be taken back");
        }
    }

    private void become(Status next, Map<String, Stock> stock, BiFunction<Stock, Long, Stock> move) {
        for (var item : items) {
            stock.put(item.sku(), move.apply(stock.get(item.sku()), item.quantity()));
        }
        status = next;
    }

    private static boolean suffices(Stock stock, long quantity) {
        return stock != null && stock.suffices(quantity);
    }

    /** The lines by SKU: two lines of the same take from the same pieces. */
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

    /** The order asks for something that only pieces set aside for it allow. */
    static final class NotReserved extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NotReserved(Reservation reservation, String wish) {
            super("the stock of order " + reservation.orderId + " cannot " + wish + ": its reservation is "
                    + reservation.status);
        }
    }
}
