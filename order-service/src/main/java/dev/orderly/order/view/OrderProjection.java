package dev.orderly.order.view;

import dev.orderly.messaging.EventConsumer;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Keeps the read model up to date, and tells those who wait for it. */
@Singleton // needs no proxy, for which its base would have to be made without arguments
class OrderProjection extends OrderViewUpdater {

    private final EventConsumer consumer;
    private final OrderChangeNotifier watch;
    private final ProjectionLag staleness;

    OrderProjection(
            EventConsumer consumer,
            OrderChangeNotifier watch,
            ProjectionLag staleness,
            DataSource database,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.group.id") String consumerGroup) {
        super(consumerGroup, Tables.LIVE, database);
        this.consumer = consumer;
        this.watch = watch;
        this.staleness = staleness;
    }

    @Incoming("order-view")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        staleness.received(records);
        consumer.consume(records, this);
        staleness.applied(records);
        watch.look();
    }
}
