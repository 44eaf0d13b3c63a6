package dev.orderly.order.view;

import dev.orderly.database.DeferredWrites;
import dev.orderly.messaging.EventConsumer;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Keeps the read model up to date, and notifies the requests that wait for it. */
@Singleton
class OrderProjection extends OrderViewUpdater {

    private final OrderChangeNotifier notifier;
    private final ProjectionLag lag;

    OrderProjection(
            EventConsumer consumer,
            OrderChangeNotifier notifier,
            ProjectionLag lag,
            DataSource database,
            DeferredWrites writes,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Tables.LIVE, database, writes);
        this.notifier = notifier;
        this.lag = lag;
    }

    @Incoming("order-view")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        lag.received(records);
        consume(records);
        lag.applied(records);
        notifier.pollSoon();
    }
}
