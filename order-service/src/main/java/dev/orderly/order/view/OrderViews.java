package dev.orderly.order.view;

import dev.orderly.database.Rows;
import dev.orderly.events.Money;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/** The queries of the read model. */
@ApplicationScoped
class OrderViews {

    private static final String COLUMNS =
            "order_id, customer_id, order_view.status, reason, lines, total, currency, payment_method, placed_at";

    private static final String ENTRY =
            "position, type, event.status AS reached, source, event.version AS version, occurred_at, partition,"
                    + " \"offset\"";

    private final DataSource database;

    OrderViews(DataSource database) {
        this.database = database;
    }

    /** An order with its timeline, both of one snapshot. */
    Optional<OrderView> find(UUID id) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT " + COLUMNS + ", " + ENTRY + """
                         FROM order_view JOIN order_view_event event USING (order_id)
                        WHERE order_id = ?
                        ORDER BY position
                        """)) {
            select.setObject(1, id);
            try (var rows = select.executeQuery()) {
                var order = Optional.<OrderView>empty();
                var timeline = new ArrayList<OrderView.TimelineEntry>();
                while (rows.next()) {
                    timeline.add(entry(rows));
                    order = Optional.of(order(rows, timeline));
                }
                return order;
            }
        }
    }

    /**
     * A page of orders, newest first, without their timelines.
     *
     * @param customerId null for any
     * @param status null for any
     * @param after the last order of the previous page, null for the first page
     */
    List<OrderView> page(UUID customerId, OrderStatus status, UUID after, int limit) throws SQLException {
        var sql = new StringBuilder("SELECT " + COLUMNS + " FROM order_view WHERE true");
        var values = new ArrayList<Object>();
        if (customerId != null) {
            sql.append(" AND customer_id = ?");
            values.add(customerId);
        }
        if (status != null) {
            sql.append(" AND status = ?");
            values.add(status.name());
        }
        if (after != null) {
            sql.append(" AND order_id < ?");
            values.add(after);
        }
        sql.append(" ORDER BY order_id DESC LIMIT ?");
        values.add(limit);
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(sql.toString())) {
            for (var i = 0; i < values.size(); i++) {
                select.setObject(i + 1, values.get(i));
            }
            var page = new ArrayList<OrderView>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    page.add(order(rows, null));
                }
            }
            return page;
        }
    }

    /** How far those of the orders that are known have come. */
    Map<UUID, OrderProgress> progress(Collection<UUID> ids) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT order_id, status, reason, version, events FROM order_view WHERE order_id = ANY (?)")) {
            select.setObject(1, ids.toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                return progress(rows);
            }
        }
    }

    /** Rows of order_id, status, reason, version, events. */
    static Map<UUID, OrderProgress> progress(ResultSet rows) throws SQLException {
        var progress = new HashMap<UUID, OrderProgress>();
        while (rows.next()) {
            progress.put(
                    rows.getObject(1, UUID.class),
                    new OrderProgress(
                            OrderStatus.valueOf(rows.getString(2)), rows.getString(3), rows.getInt(4), rows.getInt(5)));
        }
        return progress;
    }

    /** The entries of each order's timeline after a position. */
    Map<UUID, List<OrderView.TimelineEntry>> entriesAfter(Map<UUID, Integer> positions) throws SQLException {
        try (var connection = database.getConnection();
                var select = Rows.of(positions.entrySet())
                        .uuid("order_id", Map.Entry::getKey)
                        .integer("last", Map.Entry::getValue)
                        .prepare(connection, "SELECT event.order_id, " + ENTRY + """
                                 FROM order_view_event event
                                JOIN :rows ON event.order_id = rows.order_id AND position > rows.last
                                ORDER BY event.order_id, position
                                """)) {
            var entries = new HashMap<UUID, List<OrderView.TimelineEntry>>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    entries.computeIfAbsent(rows.getObject(1, UUID.class), _ -> new ArrayList<>())
                            .add(entry(rows));
                }
            }
            return entries;
        }
    }

    private static OrderView.TimelineEntry entry(ResultSet row) throws SQLException {
        return new OrderView.TimelineEntry(
                row.getInt("position"),
                row.getString("type"),
                OrderStatus.valueOf(row.getString("reached")),
                row.getString("source"),
                row.getInt("version"),
                row.getTimestamp("occurred_at").toInstant(),
                row.getInt("partition"),
                row.getLong("offset"));
    }

    private static OrderView order(ResultSet row, List<OrderView.TimelineEntry> timeline) throws SQLException {
        return new OrderView(
                row.getObject(1, UUID.class),
                row.getObject(2, UUID.class),
                OrderStatus.valueOf(row.getString(3)),
                row.getString(4),
                row.getString(5),
                Money.of(row.getLong(6), row.getString(7)),
                PaymentMethod.valueOf(row.getString(8)),
                row.getTimestamp(9).toInstant(),
                timeline);
    }
}
