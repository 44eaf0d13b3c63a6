package dev.orderly.order.view;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderStatus;
import dev.orderly.messaging.IncomingEvent;

/**
 * How far an order has come: the fold of its events. What is shown of an order is this and nothing else, so a read model
 * that is built again from the topic is the same.
 *
 * @param version of the last event of order-service itself, 0 when there is none yet
 * @param events how many there were
 */
record OrderProgress(OrderStatus status, String reason, int version, int events) {

    static final OrderProgress NONE = new OrderProgress(null, null, 0, 0);

    static final String OWNER = "order-service";

    OrderProgress after(IncomingEvent<OrderEvent> received) {
        var event = received.event();
        // Once its owner has decided, what others report late, such as a refund, no longer changes what the order is.
        var decided = status != null && status.isTerminal();
        return new OrderProgress(
                decided ? status : event.status(),
                switch (event) {
                    case OrderRejected rejected -> rejected.reason();
                    case OrderCancelled cancelled -> cancelled.reason();
                    default -> reason;
                },
                received.source().equals(OWNER) ? Math.max(version, received.version()) : version,
                events + 1);
    }
}
