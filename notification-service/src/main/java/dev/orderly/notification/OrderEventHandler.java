package dev.orderly.notification;

import static java.util.stream.Collectors.toMap;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.noncore.NonCoreWork;
import dev.orderly.notification.Message.Channel;
import dev.orderly.tracing.Traceparent;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Records a message to the customer when an order ends. It does not send it: a slow mail server inside the
 * transaction would block the partition, and a rollback could not undo a mail that was sent.
 */
@Singleton
class OrderEventHandler extends EventHandler<OrderEvent> {

    private final Notifications notifications;
    private final MessageDispatcher dispatcher;
    private final NonCoreWork nonCoreWork;

    OrderEventHandler(
            EventConsumer consumer,
            Notifications notifications,
            MessageDispatcher dispatcher,
            NonCoreWork nonCoreWork,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Set.of(OrderConfirmed.class, OrderRejected.class, OrderCancelled.class));
        this.notifications = notifications;
        this.dispatcher = dispatcher;
        this.nonCoreWork = nonCoreWork;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
        dispatcher.wake(Channel.MAIL);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        events.forEach(incoming ->
                nonCoreWork.decided(incoming.event().id(), incoming.event().occurredAt()));
        var messages = events.stream()
                .map(incoming -> messageAbout(incoming.event()))
                .flatMap(Optional::stream)
                .toList();
        notifications.add(messages, sampledTraces(events));
        return List.of();
    }

    /** Of the others nothing is stored: most rows are not traced, and each is written twice. */
    private static Map<UUID, String> sampledTraces(List<IncomingEvent<OrderEvent>> events) {
        return events.stream()
                .filter(incoming -> Traceparent.isSampled(incoming.traceparent()))
                .collect(toMap(incoming -> incoming.event().id(), IncomingEvent::traceparent, (_, last) -> last));
    }

    static Optional<Message> messageAbout(OrderEvent event) {
        return switch (event) {
            case OrderConfirmed confirmed -> Optional.of(Message.confirmed(confirmed));
            case OrderRejected rejected -> Optional.of(Message.rejected(rejected));
            case OrderCancelled cancelled -> Optional.of(Message.cancelled(cancelled));
            case OrderPlaced _,
                    StockReserved _,
                    StockRejected _,
                    PaymentCaptured _,
                    PaymentDeclined _,
                    PaymentRefunded _ -> Optional.empty();
        };
    }
}
