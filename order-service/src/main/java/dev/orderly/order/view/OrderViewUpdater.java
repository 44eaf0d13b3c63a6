package dev.orderly.order.view;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.EventJson;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Updates the read model: adds every event to its order's timeline, and folds it into the order's row. There
 * are two pairs of tables, the live one and the shadow of
 * {@link dev.orderly.order.view.rebuild.OrderViewRebuild}.
 */
public class OrderViewUpdater extends EventHandler<OrderEvent> {

    private static final Set<Class<? extends OrderEvent>> ALL_TYPES = Stream.of(
                    OrderEvent.class.getPermittedSubclasses())
            .map(type -> type.<OrderEvent>asSubclass(OrderEvent.class))
            .collect(Collectors.toUnmodifiableSet());

    private final Tables tables;
    private final DataSource database;
    private final DeferredWrites writes;

    public OrderViewUpdater(
            EventConsumer consumer, String consumerGroup, Tables tables, DataSource database, DeferredWrites writes) {
        super(consumer, consumerGroup, ALL_TYPES);
        this.tables = tables;
        this.database = database;
        this.writes = writes;
    }

    /** The pair of tables that it updates. */
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
    protected boolean isSecondReader() {
        return tables == Tables.SHADOW;
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        var before = lockKnown(events);
        var now = new LinkedHashMap<UUID, OrderProgress>();
        var placed = new ArrayList<OrderPlaced>();
        for (var incoming : events) {
            var id = incoming.event().id();
            var progress = now.getOrDefault(id, before.getOrDefault(id, OrderProgress.NONE));
            if (incoming.event() instanceof OrderPlaced order) {
                requireThat(progress == OrderProgress.NONE, "is placed already", id);
                placed.add(order);
            } else {
                requireThat(progress != OrderProgress.NONE, "was never placed", id);
            }
            now.put(id, progress.after(incoming));
        }
        insertPlaced(placed, now);
        update(before.keySet(), now);
        insertEntries(events, before);
        return List.of();
    }

    private static void requireThat(boolean condition, String otherwise, UUID order) {
        if (!condition) {
            throw new IllegalStateException("order " + order + ' ' + otherwise);
        }
    }

    /** The known orders, locked: a zombie that owned the partition before may be updating the same. */
    private Map<UUID, OrderProgress> lockKnown(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        var ids = events.stream().map(incoming -> incoming.event().id()).distinct();
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT order_id, status, reason, version, events
                        FROM %s WHERE order_id = ANY (?) ORDER BY order_id FOR UPDATE
                        """.formatted(tables.orders))) {
            select.setObject(1, ids.toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                return OrderViews.progress(rows);
            }
        }
    }

    private void insertPlaced(List<OrderPlaced> placed, Map<UUID, OrderProgress> progress) throws SQLException {
        Rows.of(placed)
                .uuid("order_id", OrderPlaced::id)
                .uuid("customer_id", OrderPlaced::customerId)
                .text("status", order -> progress.get(order.id()).status())
                .text("reason", order -> progress.get(order.id()).reason())
                .text("lines", order -> EventJson.writeValue(order.lines()))
                .bigint("total", order -> order.total().amount())
                .text("currency", order -> order.total().currency())
                .text("payment_method", OrderPlaced::paymentMethod)
                .timestamptz("placed_at", OrderPlaced::occurredAt)
                .integer("version", order -> progress.get(order.id()).version())
                .integer("events", order -> progress.get(order.id()).events())
                .updateLater(writes, "INSERT INTO %s (:columns) SELECT :columns FROM :rows".formatted(tables.orders));
    }

    private void update(Set<UUID> known, Map<UUID, OrderProgress> progress) throws SQLException {
        Rows.of(known)
                .uuid("order_id", id -> id)
                .text("status", id -> progress.get(id).status())
                .text("reason", id -> progress.get(id).reason())
                .integer("version", id -> progress.get(id).version())
                .integer("events", id -> progress.get(id).events())
                .updateEachLater(writes, """
                        UPDATE %1$s
                        SET status = rows.status, reason = rows.reason, version = rows.version, events = rows.events
                        FROM :rows WHERE %1$s.order_id = rows.order_id
                        """.formatted(tables.orders));
    }

    private void insertEntries(List<IncomingEvent<OrderEvent>> events, Map<UUID, OrderProgress> before)
            throws SQLException {
        var positions = new HashMap<UUID, Integer>();
        before.forEach((id, progress) -> positions.put(id, progress.events()));
        Rows.of(events)
                .uuid("order_id", incoming -> incoming.event().id())
                .integer(
                        "position", incoming -> positions.merge(incoming.event().id(), 1, Integer::sum))
                .text("type", incoming -> incoming.event().getClass().getSimpleName())
                .text("status", incoming -> incoming.event().status())
                .text("source", IncomingEvent::source)
                .integer("version", IncomingEvent::version)
                .timestamptz("occurred_at", incoming -> incoming.event().occurredAt())
                .integer("partition", IncomingEvent::partition)
                .bigint("offset", IncomingEvent::offset)
                .updateLater(writes, "INSERT INTO %s (:columns) SELECT :columns FROM :rows".formatted(tables.entries));
    }
}
