package dev.orderly.order.view;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderStatus;
import dev.orderly.messaging.IncomingEvent;

/**
 * How far an order has come: the fold of its events. The read model shows this and nothing else, so a rebuild
 * from the topic gives the same.
 *
 * @param version of the last event that order-service published, 0 before the first
 * @param events how many events the order has
 */
record OrderProgress(OrderStatus status, String reason, int version, int events) {

    static final OrderProgress NONE = new OrderProgress(null, null, 0, 0);

    static final String OWNER = "order-service";

    OrderProgress after(IncomingEvent<OrderEvent> incoming) {
        var event = incoming.event();
        // After the decision a late report of another service, such as a refund, does not change the status.
        var decided = status != null && status.isTerminal();
        return new OrderProgress(
                decided ? status : event.status(),
                switch (event) {
                    case OrderRejected rejected -> rejected.reason();
                    case OrderCancelled cancelled -> cancelled.reason();
                    default -> reason;
                },
                incoming.source().equals(OWNER) ? Math.max(version, incoming.version()) : version,
                events + 1);
    }
}
