package dev.orderly.events;

import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import java.util.Map;
import java.util.Set;

/**
 * Which service publishes what about orders: a version counts the events of an order and one of these. Events of customers
 * are not here, since nobody can expect to see them all: their topic keeps the newest.
 */
public final class Publishers {

    private static final Map<String, Set<Class<? extends Event>>> TYPES = Map.of(
            "order-service",
            Set.of(OrderPlaced.class, OrderConfirmed.class, OrderRejected.class, OrderCancelled.class),
            "inventory-service",
            Set.of(StockReserved.class, StockRejected.class),
            "payment-service",
            Set.of(PaymentCaptured.class, PaymentDeclined.class, PaymentRefunded.class));

    private Publishers() {}

    /** All types that a source publishes about orders; none when this code does not know the source. */
    public static Set<Class<? extends Event>> typesOf(String source) {
        return TYPES.getOrDefault(source, Set.of());
    }
}
