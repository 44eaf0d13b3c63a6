package dev.orderly.order.view;

import dev.orderly.messaging.EventConsumer;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Keeps the read model up to date, and tells those who wait for it. */
@Singleton
class OrderProjection extends OrderViewUpdater {

    private final OrderChangeNotifier watch;
    private final ProjectionLag staleness;

    OrderProjection(
            EventConsumer consumer,
            OrderChangeNotifier watch,
            ProjectionLag staleness,
            DataSource database,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Tables.LIVE, database);
        this.watch = watch;
        this.staleness = staleness;
    }

    @Incoming("order-view")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        staleness.received(records);
        consume(records);
        staleness.applied(records);
        watch.look();
    }
}
