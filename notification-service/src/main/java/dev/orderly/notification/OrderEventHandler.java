package dev.orderly.notification;

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
import dev.orderly.notification.Message.Channel;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Records what customers are to be told when their orders come to an end. It sends nothing: a slow mail server inside the
 * transaction would hold up the partition, and a rollback after it could not take the mail back.
 */
@Singleton
class OrderEventHandler extends EventHandler<OrderEvent> {

    private final Notifications notifications;
    private final MessageDispatcher sender;

    OrderEventHandler(
            EventConsumer consumer,
            Notifications notifications,
            MessageDispatcher sender,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Set.of(OrderConfirmed.class, OrderRejected.class, OrderCancelled.class));
        this.notifications = notifications;
        this.sender = sender;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
        sender.wake(Channel.MAIL);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        notifications.add(events.stream()
                .map(received -> letterAbout(received.event()))
                .flatMap(Optional::stream)
                .toList());
        return List.of();
    }

    static Optional<Message> letterAbout(OrderEvent event) {
        return switch (event) {
            case OrderConfirmed confirmed -> Optional.of(Message.about(confirmed));
            case OrderRejected rejected -> Optional.of(Message.about(rejected));
            case OrderCancelled cancelled -> Optional.of(Message.about(cancelled));
            case OrderPlaced _,
                    StockReserved _,
                    StockRejected _,
                    PaymentCaptured _,
                    PaymentDeclined _,
                    PaymentRefunded _ -> Optional.empty();
        };
    }
}
