package dev.orderly.order;

import static java.util.stream.Collectors.toSet;

import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Brings every order to its end: confirmed when it is paid, rejected when stock or money does not suffice. A
 * saga by choreography: the other services act on the events, and compensate when the order is rejected or
 * cancelled. But only {@link Order#on} decides what the order becomes.
 */
@Singleton
class OrderSaga extends EventHandler<OrderEvent> {

    private final Orders orders;
    private final Clock clock;

    OrderSaga(
            EventConsumer consumer,
            Orders orders,
            Clock clock,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Set.of(PaymentCaptured.class, StockRejected.class, PaymentDeclined.class));
        this.orders = orders;
        this.clock = clock;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        var known = orders.lock(
                events.stream().map(incoming -> incoming.event().id()).collect(toSet()));
        var decided = new HashSet<Order>();
        var outgoing = new ArrayList<OutgoingEvent>();
        for (var incoming : events) {
            var order = known.get(incoming.event().id());
            if (order == null) {
                throw new IllegalStateException(
                        "there is no order " + incoming.event().id());
            }
            order.on(incoming.event(), clock.instant()).ifPresent(decision -> {
                decided.add(order);
                outgoing.add(new OutgoingEvent(decision, order.version()));
            });
        }
        orders.saveDecisions(decided);
        return outgoing;
    }
}
