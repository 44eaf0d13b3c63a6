package dev.orderly.events;

import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The types that each service publishes about orders: versions count the events of one order and one of these
 * services. Events of customers are missing here, since no reader can expect to see every version: their
 * topic is compacted.
 */
public final class Publishers {

    private static final String OF_CUSTOMERS = "order-service";

    private static final Map<String, Set<Class<? extends Event>>> TYPES = Map.of(
            OF_CUSTOMERS,
            Set.of(OrderPlaced.class, OrderConfirmed.class, OrderRejected.class, OrderCancelled.class),
            "inventory-service",
            Set.of(StockReserved.class, StockRejected.class),
            "payment-service",
            Set.of(PaymentCaptured.class, PaymentDeclined.class, PaymentRefunded.class));

    private Publishers() {}

    /** All types with a value that a service publishes, also about customers. */
    public static Set<Class<? extends Event>> withValues(String source) {
        var types = new HashSet<>(typesOf(source));
        if (source.equals(OF_CUSTOMERS)) {
            types.addAll(Set.of(CustomerRegistered.class, CodeRequested.class, CustomerVerified.class));
        }
        return types;
    }

    /** All types that a source publishes about orders; none when the source is unknown or null. */
    public static Set<Class<? extends Event>> typesOf(String source) {
        return source == null ? Set.of() : TYPES.getOrDefault(source, Set.of());
    }
}
