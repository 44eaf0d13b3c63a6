package dev.orderly.order;

import dev.orderly.database.Rows;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/** The orders, one row each; every statement is set-based. */
@ApplicationScoped
class Orders {

    private static final String SELECT = """
            SELECT id, customer_id, lines, total, currency, payment_method, placed_at, status, reason, version
            FROM orders
            """;

    private final DataSource database;

    Orders(DataSource database) {
        this.database = database;
    }

    void add(Collection<Order> placed) throws SQLException {
        Rows.of(placed)
                .uuid("id", Order::id)
                .uuid("customer_id", Order::customerId)
                .text("status", Order::status)
                .text("lines", order -> EventJson.writeValue(order.lines()))
                .bigint("total", order -> order.total().amount())
                .text("currency", order -> order.total().currency())
                .text("payment_method", Order::paymentMethod)
                .timestamptz("placed_at", Order::placedAt)
                .integer("version", Order::version)
                .update(database, "INSERT INTO orders (:columns) SELECT :columns FROM :rows");
    }

    /** Those of the orders that exist. */
    Map<UUID, Order> find(Collection<UUID> ids) throws SQLException {
        if (ids.isEmpty()) {
            return Map.of();
        }
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(SELECT + "WHERE id = ANY (?)")) {
            select.setObject(1, ids.toArray(UUID[]::new));
            return orders(select);
        }
    }

    /** The same, each locked until the transaction ends; sorted, or two transactions could deadlock. */
    Map<UUID, Order> lock(Collection<UUID> ids) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(SELECT + "WHERE id = ANY (?) ORDER BY id FOR UPDATE")) {
            select.setObject(1, ids.toArray(UUID[]::new));
            return orders(select);
        }
    }

    /** The oldest undecided orders placed before a time, locked; rows locked elsewhere are skipped. */
    Collection<Order> lockUndecidedBefore(Instant time, int limit) throws SQLException {
        try (var connection = database.getConnection();
                // The status is a literal: with a parameter PostgreSQL could not use the partial index.
                var select = connection.prepareStatement(SELECT + """
                        WHERE status = 'PENDING' AND placed_at < ? ORDER BY placed_at LIMIT ? FOR UPDATE SKIP LOCKED
                        """)) {
            select.setTimestamp(1, Timestamp.from(time));
            select.setInt(2, limit);
            return orders(select).values();
        }
    }

    /** How many orders placed within a time are undecided; counts no further than {@code max}. */
    int countUndecided(PaymentMethod method, Instant from, Instant to, int max) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT count(*)
                        FROM (SELECT FROM orders
                              WHERE status = 'PENDING' AND placed_at >= ? AND placed_at < ? AND payment_method = ?
                              ORDER BY placed_at LIMIT ?)
                        """)) {
            select.setTimestamp(1, Timestamp.from(from));
            select.setTimestamp(2, Timestamp.from(to));
            select.setString(3, method.name());
            select.setInt(4, max);
            try (var row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Saves the decisions about orders that the transaction has locked. */
    void saveDecisions(Collection<Order> decided) throws SQLException {
        Rows.of(decided)
                .uuid("id", Order::id)
                .text("status", Order::status)
                .text("reason", Order::reason)
                .integer("version", Order::version)
                .update(database, """
                        UPDATE orders SET status = rows.status, reason = rows.reason, version = rows.version
                        FROM :rows WHERE orders.id = rows.id
                        """);
    }

    private static Map<UUID, Order> orders(PreparedStatement select) throws SQLException {
        var orders = new LinkedHashMap<UUID, Order>();
        try (var rows = select.executeQuery()) {
            while (rows.next()) {
                var order = new Order(
                        rows.getObject(1, UUID.class),
                        rows.getObject(2, UUID.class),
                        List.of(EventJson.readValue(Line[].class, rows.getString(3))),
                        Money.of(rows.getLong(4), rows.getString(5)),
                        PaymentMethod.valueOf(rows.getString(6)),
                        rows.getTimestamp(7).toInstant(),
                        OrderStatus.valueOf(rows.getString(8)),
                        rows.getString(9),
                        rows.getInt(10));
                orders.put(order.id(), order);
            }
        }
        return orders;
    }
}
