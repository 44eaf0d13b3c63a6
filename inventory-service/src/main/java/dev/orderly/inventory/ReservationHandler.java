package dev.orderly.inventory;

import static java.util.stream.Collectors.toSet;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.inventory.Reservation.Item;
import dev.orderly.inventory.Reservation.Status;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Reserves stock for placed orders, sells it when they are confirmed, and releases it when they are not. */
@Singleton
class ReservationHandler extends EventHandler<OrderEvent> {

    /** Of every published event: there is one per order, in response to its OrderPlaced. */
    private static final int VERSION = 1;

    private final Reservations reservations;
    private final Stocks stocks;
    private final Clock clock;

    ReservationHandler(
            EventConsumer consumer,
            Reservations reservations,
            Stocks stocks,
            Clock clock,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(
                consumer,
                consumerGroup,
                Set.of(OrderPlaced.class, OrderConfirmed.class, OrderRejected.class, OrderCancelled.class));
        this.reservations = reservations;
        this.stocks = stocks;
        this.clock = clock;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        // Reservations before stock: transactions that lock in different orders would deadlock. The row of a
        // popular SKU is locked from here to the commit; a batch waits for it once, not once per order.
        var stored = reservations.lock(
                events.stream().map(received -> received.event().id()).collect(toSet()));
        var batch = new Batch(stored, stocks.lock(skus(events, stored.values())), clock.instant());
        events.forEach(received -> batch.on(received.event()));
        reservations.add(batch.added);
        reservations.update(batch.changed);
        stocks.update(batch.changedStock());
        return batch.outgoing;
    }

    /** The SKUs whose stock the events may change. */
    private static Set<String> skus(List<IncomingEvent<OrderEvent>> events, Collection<Reservation> stored) {
        var skus = new HashSet<String>();
        for (var received : events) {
            if (received.event() instanceof OrderPlaced placed) {
                placed.lines().stream().map(Line::sku).forEach(skus::add);
            }
        }
        for (var reservation : stored) {
            if (reservation.status() == Status.RESERVED) {
                reservation.items().stream().map(Item::sku).forEach(skus::add);
            }
        }
        return skus;
    }

    /** The decisions about one batch: what is stored, and what is to be written. */
    private static final class Batch {

        private final Set<UUID> stored;
        private final Map<UUID, Reservation> reservations;
        private final Map<String, Stock> stockBefore;
        private final Map<String, Stock> stock;
        private final Instant now;

        private final Set<Reservation> added = new HashSet<>();
        private final Set<Reservation> changed = new HashSet<>();
        private final List<OutgoingEvent> outgoing = new ArrayList<>();

        Batch(Map<UUID, Reservation> reservations, Map<String, Stock> stock, Instant now) {
            this.stored = Set.copyOf(reservations.keySet());
            this.reservations = reservations;
            this.stockBefore = Map.copyOf(stock);
            this.stock = stock;
            this.now = now;
        }

        void on(OrderEvent event) {
            var reservation = reservations.computeIfAbsent(event.id(), Reservation::none);
            var before = reservation.status();
            switch (event) {
                case OrderPlaced placed ->
                    reservation
                            .reserve(placed, stock, now)
                            .ifPresent(decision -> outgoing.add(new OutgoingEvent(decision, VERSION)));
                case OrderConfirmed _ -> reservation.commit(stock);
                case OrderRejected _, OrderCancelled _ -> reservation.release(stock);
                case StockReserved _, StockRejected _, PaymentCaptured _, PaymentDeclined _, PaymentRefunded _ -> {}
            }
            if (reservation.status() != before) {
                (stored.contains(event.id()) ? changed : added).add(reservation);
            }
        }

        List<Stock> changedStock() {
            return stock.values().stream()
                    .filter(after -> !after.equals(stockBefore.get(after.sku())))
                    .toList();
        }
    }
}
