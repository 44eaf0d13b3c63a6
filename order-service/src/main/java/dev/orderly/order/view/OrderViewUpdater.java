package dev.orderly.order.view;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.events.EventJson;
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
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Updates the read model: adds every event to its order's timeline, and folds it into the order's row. There
 * are two pairs of tables, the live one and the shadow of
 * {@link dev.orderly.order.view.rebuild.OrderViewRebuild}.
 */
public class OrderViewUpdater extends EventHandler<OrderEvent> {

    private static final Set<Class<? extends OrderEvent>> ALL_TYPES = Set.of(
            OrderPlaced.class,
            StockReserved.class,
            StockRejected.class,
            PaymentCaptured.class,
            PaymentDeclined.class,
            OrderConfirmed.class,
            OrderRejected.class,
            OrderCancelled.class,
            PaymentRefunded.class);

    private final Tables tables;
    private final DataSource database;

    public OrderViewUpdater(EventConsumer consumer, String consumerGroup, Tables tables, DataSource database) {
        super(consumer, consumerGroup, ALL_TYPES);
        this.tables = tables;
        this.database = database;
    }

    public enum Tables {
        LIVE("order_view", "order_view_event"),
        SHADOW("order_view_next", "order_view_event_next");

        private final String orders;
        private final String entries;

        Tables(String orders, String entries) {
            this.orders = orders;
            this.entries = entries;
        }
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        try (var connection = database.getConnection()) {
            var before = progress(connection, events);
            var now = new LinkedHashMap<UUID, OrderProgress>();
            var placed = new ArrayList<OrderPlaced>();
            for (var received : events) {
                var id = received.event().id();
                var progress = now.getOrDefault(id, before.getOrDefault(id, OrderProgress.NONE));
                if (received.event() instanceof OrderPlaced order) {
                    requireThat(progress == OrderProgress.NONE, "is placed already", id);
                    placed.add(order);
                } else {
                    requireThat(progress != OrderProgress.NONE, "was never placed", id);
                }
                now.put(id, progress.after(received));
            }
            insertPlaced(connection, placed, now);
            update(connection, before.keySet(), now);
            insertEntries(connection, events, before);
        }
        return List.of();
    }

    private static void requireThat(boolean condition, String otherwise, UUID order) {
        if (!condition) {
            throw new IllegalStateException("order " + order + ' ' + otherwise);
        }
    }

    /** Of the known orders, locked: a zombie that owned the partition before may be updating the same. */
    private Map<UUID, OrderProgress> progress(Connection connection, List<IncomingEvent<OrderEvent>> events)
            throws SQLException {
        try (var select = connection.prepareStatement("""
                SELECT order_id, status, reason, version, events
                FROM %s WHERE order_id = ANY (?) ORDER BY order_id FOR UPDATE
                """.formatted(tables.orders))) {
            select.setObject(
                    1,
                    events.stream()
                            .map(received -> received.event().id())
                            .distinct()
                            .toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                return OrderViews.progress(rows);
            }
        }
    }

    private void insertPlaced(Connection connection, List<OrderPlaced> placed, Map<UUID, OrderProgress> progress)
            throws SQLException {
        if (placed.isEmpty()) {
            return;
        }
        try (var insert = connection.prepareStatement("""
                INSERT INTO %s (order_id, customer_id, status, reason, lines, total, currency, payment_method,
                    placed_at, version, events)
                SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::text[], ?::text[],
                    ?::timestamptz[], ?::int[], ?::int[])
                """.formatted(tables.orders))) {
            insert.setObject(1, column(placed, OrderPlaced::id, UUID[]::new));
            insert.setObject(2, column(placed, OrderPlaced::customerId, UUID[]::new));
            insert.setObject(
                    3, column(placed, order -> progress.get(order.id()).status().name(), String[]::new));
            insert.setObject(4, column(placed, order -> progress.get(order.id()).reason(), String[]::new));
            insert.setObject(5, column(placed, order -> EventJson.writeValue(order.lines()), String[]::new));
            insert.setObject(6, column(placed, order -> order.total().amount(), Long[]::new));
            insert.setObject(7, column(placed, order -> order.total().currency().getCurrencyCode(), String[]::new));
            insert.setObject(8, column(placed, order -> order.paymentMethod().name(), String[]::new));
            insert.setObject(9, column(placed, order -> order.occurredAt().toString(), String[]::new));
            insert.setObject(
                    10, column(placed, order -> progress.get(order.id()).version(), Integer[]::new));
            insert.setObject(
                    11, column(placed, order -> progress.get(order.id()).events(), Integer[]::new));
            insert.executeUpdate();
        }
    }

    private void update(Connection connection, Set<UUID> known, Map<UUID, OrderProgress> progress) throws SQLException {
        if (known.isEmpty()) {
            return;
        }
        try (var update = connection.prepareStatement("""
                UPDATE %1$s
                SET status = now.status, reason = now.reason, version = now.version, events = now.events
                FROM unnest(?::uuid[], ?::text[], ?::text[], ?::int[], ?::int[])
                    AS now (order_id, status, reason, version, events)
                WHERE %1$s.order_id = now.order_id
                """.formatted(tables.orders))) {
            update.setObject(1, known.toArray(UUID[]::new));
            update.setObject(2, column(known, id -> progress.get(id).status().name(), String[]::new));
            update.setObject(3, column(known, id -> progress.get(id).reason(), String[]::new));
            update.setObject(4, column(known, id -> progress.get(id).version(), Integer[]::new));
            update.setObject(5, column(known, id -> progress.get(id).events(), Integer[]::new));
            update.executeUpdate();
        }
    }

    private void insertEntries(
            Connection connection, List<IncomingEvent<OrderEvent>> events, Map<UUID, OrderProgress> before)
            throws SQLException {
        var positions = new HashMap<UUID, Integer>();
        before.forEach((id, progress) -> positions.put(id, progress.events()));
        try (var insert = connection.prepareStatement("""
                INSERT INTO %s (order_id, position, type, status, source, version, occurred_at, partition, "offset")
                SELECT * FROM unnest(?::uuid[], ?::int[], ?::text[], ?::text[], ?::text[], ?::int[], ?::timestamptz[], ?::int[],
                    ?::bigint[])
                """.formatted(tables.entries))) {
            insert.setObject(1, column(events, received -> received.event().id(), UUID[]::new));
            insert.setObject(
                    2,
                    column(
                            events,
                            received -> positions.merge(received.event().id(), 1, Integer::sum),
                            Integer[]::new));
            insert.setObject(
                    3, column(events, received -> received.event().getClass().getSimpleName(), String[]::new));
            insert.setObject(
                    4, column(events, received -> received.event().status().name(), String[]::new));
            insert.setObject(5, column(events, IncomingEvent::source, String[]::new));
            insert.setObject(6, column(events, IncomingEvent::version, Integer[]::new));
            insert.setObject(
                    7, column(events, received -> received.event().occurredAt().toString(), String[]::new));
            insert.setObject(8, column(events, IncomingEvent::partition, Integer[]::new));
            insert.setObject(9, column(events, IncomingEvent::offset, Long[]::new));
            insert.executeUpdate();
        }
    }
}
