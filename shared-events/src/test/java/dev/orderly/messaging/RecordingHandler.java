package dev.orderly.messaging;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/** Records the events that it handles, answers a cancellation with a refund, and fails on demand. */
@Singleton // so that the tests reach its fields
class RecordingHandler extends EventHandler<OrderEvent> {

    static final String GROUP = "order-consumer-group";

    /** Orders whose events it rejects. */
    final Set<UUID> rejected = ConcurrentHashMap.newKeySet();

    /** Orders whose events make a statement fail, and the SQLSTATE. */
    final Map<UUID, String> failing = new ConcurrentHashMap<>();

    /** More events than this cannot be handled in time. */
    volatile int maxEvents = Integer.MAX_VALUE;

    /** How many more transactions fail after their work is done, as by a lost connection. */
    final AtomicInteger outages = new AtomicInteger();

    private final DataSource database;

    RecordingHandler(EventConsumer consumer, DataSource database) {
        super(
                consumer,
                GROUP,
                Set.of(OrderPlaced.class, OrderConfirmed.class, OrderRejected.class, OrderCancelled.class));
        this.database = database;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        var outgoing = new ArrayList<OutgoingEvent>();
        if (events.size() > maxEvents) {
            throw new SQLException("canceling statement due to statement timeout", "57014");
        }
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("INSERT INTO effect (order_id, type, sku) VALUES (?, ?, ?)")) {
            for (var incoming : events) {
                var event = incoming.event();
                if (rejected.contains(event.id())) {
                    throw new IllegalStateException("rejected on demand: " + event.id());
                }
                if (failing.containsKey(event.id())) {
                    throw new SQLException("failed on demand", failing.get(event.id()));
                }
                insert.setObject(1, event.id());
                insert.setString(2, event.getClass().getSimpleName());
                insert.setString(
                        3,
                        event instanceof OrderPlaced placed
                                ? placed.lines().getFirst().sku()
                                : null);
                insert.executeUpdate();
                if (event instanceof OrderCancelled cancelled) {
                    outgoing.add(new OutgoingEvent(
                            new PaymentRefunded(cancelled.id(), Money.of(1, "EUR"), cancelled.occurredAt()), 1));
                }
            }
        }
        if (outages.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new SQLException("terminating connection", "57P01");
        }
        return outgoing;
    }
}
