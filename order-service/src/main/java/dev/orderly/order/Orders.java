package dev.orderly.order;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The orders, one row each; every statement is set-based. How old an order is, is a question of when it was
 * recorded by the database's clock: instances disagree about the time, and each would see other orders as
 * overdue.
 */
@ApplicationScoped
class Orders {

    private static final String SELECT = """
            SELECT id, customer_id, lines, total, currency, payment_method, placed_at, status, reason, version
            FROM orders
            """;

    private final DataSource database;
    private final DeferredWrites writes;
    private final Event<OrderMetrics.Accepted> accepted;
    private final Event<OrderMetrics.Decided> decisions;

    Orders(
            DataSource database,
            DeferredWrites writes,
            Event<OrderMetrics.Accepted> accepted,
            Event<OrderMetrics.Decided> decisions) {
        this.database = database;
        this.writes = writes;
        this.accepted = accepted;
        this.decisions = decisions;
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
                .updateLater(writes, "INSERT INTO orders (:columns) SELECT :columns FROM :rows");
        accepted.fire(new OrderMetrics.Accepted(placed.size()));
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

    /**
     * The orders of these ids that exist, each locked until the transaction ends; sorted, or two transactions
     * could deadlock.
     */
    Map<UUID, Order> lock(Collection<UUID> ids) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(SELECT + "WHERE id = ANY (?) ORDER BY id FOR UPDATE")) {
            select.setObject(1, ids.toArray(UUID[]::new));
            return orders(select);
        }
    }

    /** The time before which orders were recorded that are undecided for longer than this, if any are. */
    Optional<OffsetDateTime> overdueTime(Duration deadline) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        WITH due AS (SELECT now() - ? * interval '1 ms' AS time)
                        SELECT time FROM due
                        WHERE EXISTS (SELECT FROM orders WHERE status = 'PENDING' AND recorded_at < time)
                        """)) {
            select.setLong(1, deadline.toMillis());
            try (var row = select.executeQuery()) {
                return row.next() ? Optional.of(row.getObject(1, OffsetDateTime.class)) : Optional.empty();
            }
        }
    }

    /** The oldest undecided orders recorded before a time, locked; rows locked elsewhere are skipped. */
    Collection<Order> lockUndecidedBefore(OffsetDateTime time, int limit) throws SQLException {
        try (var connection = database.getConnection();
                // The status is a literal: with a parameter PostgreSQL could not use the partial index.
                var select = connection.prepareStatement(SELECT + """
                        WHERE status = 'PENDING' AND recorded_at < ? ORDER BY recorded_at LIMIT ? FOR UPDATE SKIP LOCKED
                        """)) {
            select.setObject(1, time);
            select.setInt(2, limit);
            return orders(select).values();
        }
    }

    /** How many orders of an age are undecided; counts no further than {@code max}. */
    int countUndecided(PaymentMethod method, Duration minAge, Duration maxAge, int max) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT count(*)
                        FROM (SELECT FROM orders
                              WHERE status = 'PENDING' AND payment_method = ?
                                AND recorded_at >= now() - ? * interval '1 ms'
                                AND recorded_at < now() - ? * interval '1 ms'
                              ORDER BY recorded_at LIMIT ?)
                        """)) {
            select.setString(1, method.name());
            select.setLong(2, maxAge.toMillis());
            select.setLong(3, minAge.toMillis());
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
                .updateEachLater(writes, """
                        UPDATE orders SET status = rows.status, reason = rows.reason, version = rows.version
                        FROM :rows WHERE orders.id = rows.id
                        """);
        decisions.fire(new OrderMetrics.Decided(List.copyOf(decided)));
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
