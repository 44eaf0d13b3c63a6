package dev.orderly.order.view;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.order.view.OrderViewUpdater.Tables;
import dev.orderly.testing.EventSamples;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class OrderProgressTest {

    private static final UUID ID = UUID.randomUUID();
    private static final UUID CUSTOMER = UUID.randomUUID();
    private static final Money TOTAL = Money.of(1, "EUR");
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    private static final IncomingEvent<OrderEvent> PLACED = received(
            "order-service",
            1,
            new OrderPlaced(
                    ID, CUSTOMER, List.of(new Line("mug", 1, TOTAL)), TOTAL, PaymentMethod.BALANCE, null, null, NOW));
    private static final IncomingEvent<OrderEvent> RESERVED = received(
            "inventory-service", 1, new StockReserved(ID, CUSTOMER, TOTAL, PaymentMethod.BALANCE, null, null, NOW));
    private static final IncomingEvent<OrderEvent> CAPTURED =
            received("payment-service", 1, new PaymentCaptured(ID, TOTAL, NOW));
    private static final IncomingEvent<OrderEvent> CANCELLED =
            received("order-service", 2, new OrderCancelled(ID, CUSTOMER, "changed my mind", NOW));

    @Test
    void a_view_follows_the_order_to_its_end() {
        assertThat(after(PLACED)).isEqualTo(new OrderProgress(OrderStatus.PENDING, null, 1, 1));
        assertThat(after(PLACED, RESERVED)).isEqualTo(new OrderProgress(OrderStatus.RESERVED, null, 1, 2));
        assertThat(after(PLACED, RESERVED, CAPTURED)).isEqualTo(new OrderProgress(OrderStatus.PAID, null, 1, 3));
        assertThat(after(
                        PLACED,
                        RESERVED,
                        CAPTURED,
                        received("order-service", 2, new OrderConfirmed(ID, CUSTOMER, TOTAL, NOW))))
                .isEqualTo(new OrderProgress(OrderStatus.CONFIRMED, null, 2, 4));
    }

    @Test
    void a_view_tells_why_an_order_was_rejected() {
        assertThat(after(
                        PLACED,
                        received("inventory-service", 1, new StockRejected(ID, List.of("mug"), NOW)),
                        received("order-service", 2, new OrderRejected(ID, CUSTOMER, "out of stock: mug", NOW))))
                .isEqualTo(new OrderProgress(OrderStatus.REJECTED, "out of stock: mug", 2, 3));
    }

    @Test
    void what_is_reported_late_counts_but_does_not_change_a_decided_order() {
        var late = after(
                PLACED,
                CANCELLED,
                RESERVED,
                CAPTURED,
                received("payment-service", 2, new PaymentRefunded(ID, TOTAL, NOW)));

        assertThat(late).isEqualTo(new OrderProgress(OrderStatus.CANCELLED, "changed my mind", 2, 5));
    }

    @Test
    void the_view_reads_every_event_because_each_is_in_the_timeline() {
        var updater = new OrderViewUpdater(null, "order-view-consumer-group", Tables.LIVE, null, null);

        EventSamples.assertReactsToWhatChangesSomething(updater, EventSamples.ORDER_EVENTS, _ -> true);
    }

    @SafeVarargs
    private static OrderProgress after(IncomingEvent<OrderEvent>... events) {
        var progress = OrderProgress.NONE;
        for (var event : events) {
            progress = progress.after(event);
        }
        return progress;
    }

    private static IncomingEvent<OrderEvent> received(String source, int version, OrderEvent event) {
        return new IncomingEvent<>(event, UUID.randomUUID(), source, version, null, 0, 0);
    }
}
