package dev.orderly.order.view.rebuild;

import dev.orderly.database.Rows;
import dev.orderly.http.UuidParameter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** The tables that a rebuild fills, copies to from the live ones and swaps with them. */
final class ShadowTables {

    /** Orders copied by one statement. */
    private static final int CHUNK = 10_000;

    private static final String MISSING = """
            SELECT order_id, partition, "offset", coalesce("offset" >= read, false) AS ahead
            FROM order_view_event event LEFT JOIN :rows USING (partition)
            WHERE order_id = ANY (?) AND position = 1
                AND ("offset" < beginning
                    OR NOT EXISTS (SELECT FROM order_view_next next WHERE next.order_id = event.order_id))
            """;

    /** The first offset of a partition, and how far it is read. */
    record Range(int partition, long beginning, long read) {}

    private final Connection connection;

    ShadowTables(Connection connection) {
        this.connection = connection;
    }

    /** False when another instance is rebuilding. */
    boolean tryLock() throws SQLException {
        return query("SELECT pg_try_advisory_lock(hashtextextended('order-view-rebuild-', 0))");
    }

    void unlock() throws SQLException {
        query("SELECT pg_advisory_unlock(hashtextextended('order-view-rebuild-', 0))");
    }

    /** Deletes what earlier rebuilds recorded about the events that they applied, in chunks. */
    void deleteRebuildState() throws SQLException {
        var more = true;
        while (more) {
            more = query("SELECT delete_order_view_rebuild_state(50000)");
        }
    }

    void truncate() throws SQLException {
        execute("SELECT truncate_order_view_next()");
    }

    /**
     * What the topic has no beginning of any more.
     *
     * @param copied how many orders were copied
     * @param unread orders that were not, since their first event may still be read
     */
    record Missing(int copied, Set<UUID> unread) {}

    /**
     * Copies all orders whose first event is not on the topic. Retention has deleted it; or the topic was
     * made again, and then the offset says nothing, and what is missing in the shadow counts.
     *
     * @param ends where the topic's partitions end now
     */
    Missing copyMissing(List<Range> ranges, Supplier<Map<Integer, Long>> ends) throws SQLException {
        var copied = 0;
        var unread = new HashSet<UUID>();
        var chunk = firstOrders(new UUID(0, 0));
        while (!chunk.isEmpty()) {
            var missing = missing(chunk, ranges, ends, unread);
            copyFromLive(missing);
            copied += missing.size();
            chunk = firstOrders(chunk.getLast());
        }
        return new Missing(copied, unread);
    }

    private List<UUID> missing(
            List<UUID> orders, List<Range> ranges, Supplier<Map<Integer, Long>> ends, Set<UUID> unread)
            throws SQLException {
        record First(UUID order, int partition, long offset) {}
        var missing = new ArrayList<UUID>();
        var ahead = new ArrayList<First>();
        try (var select = Rows.of(ranges)
                .integer("partition", Range::partition)
                .bigint("beginning", Range::beginning)
                .bigint("read", Range::read)
                .prepare(connection, MISSING)) {
            select.setObject(4, orders.toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var order = rows.getObject("order_id", UUID.class);
                    if (rows.getBoolean("ahead")) {
                        ahead.add(new First(order, rows.getInt("partition"), rows.getLong("offset")));
                    } else {
                        missing.add(order);
                    }
                }
            }
        }
        // Asked for after the query: what the projection had applied by then, the topic had before.
        var end = ahead.isEmpty() ? Map.<Integer, Long>of() : ends.get();
        ahead.forEach(first -> (first.offset < end.get(first.partition) ? unread : missing).add(first.order));
        return missing;
    }

    /** Those of the orders that the shadow does not have. */
    List<UUID> notInShadow(Collection<UUID> orders) throws SQLException {
        try (var select = connection.prepareStatement("""
                SELECT id FROM unnest(?::uuid[]) AS id
                WHERE NOT EXISTS (SELECT FROM order_view_next WHERE order_id = id)
                """)) {
            select.setObject(1, orders.toArray(UUID[]::new));
            return ids(select);
        }
    }

    private List<UUID> firstOrders(UUID after) throws SQLException {
        try (var select = connection.prepareStatement(
                "SELECT order_id FROM order_view WHERE order_id > ? ORDER BY order_id LIMIT " + CHUNK)) {
            select.setObject(1, after);
            return ids(select);
        }
    }

    /** Those of the orders whose first event is deleted from the topic. */
    List<UUID> expired(Collection<UUID> orders, Map<TopicPartition, Long> beginning) throws SQLException {
        try (var select = Rows.of(beginning.entrySet())
                .integer("partition", entry -> entry.getKey().partition())
                .bigint("beginning", Map.Entry::getValue)
                .prepare(connection, """
                        SELECT order_id FROM order_view_event event JOIN :rows USING (partition)
                        WHERE order_id = ANY (?) AND position = 1 AND "offset" < beginning
                        """)) {
            select.setObject(3, orders.toArray(UUID[]::new));
            return ids(select);
        }
    }

    /** Orders of which a consumer group has parked an event. */
    List<UUID> parked(String... groups) throws SQLException {
        try (var select = connection.prepareStatement(
                "SELECT DISTINCT key::uuid FROM parked_event WHERE consumer = ANY (?) AND key ~ ?")) {
            select.setObject(1, groups);
            select.setString(2, '^' + UuidParameter.PATTERN + '$');
            return ids(select);
        }
    }

    /** Replaces whatever the shadow has of the orders by their live rows. */
    void copyFromLive(Collection<UUID> orders) throws SQLException {
        for (var sql : List.of(
                "DELETE FROM order_view_event_next WHERE order_id = ANY (?)",
                "DELETE FROM order_view_next WHERE order_id = ANY (?)",
                "INSERT INTO order_view_next SELECT * FROM order_view WHERE order_id = ANY (?)",
                "INSERT INTO order_view_event_next SELECT * FROM order_view_event WHERE order_id = ANY (?)")) {
            try (var statement = connection.prepareStatement(sql)) {
                statement.setObject(1, orders.toArray(UUID[]::new));
                statement.executeUpdate();
            }
        }
    }

    /** Those of the records that the live tables have: a timeline has the coordinates of its events. */
    List<ConsumerRecord<String, byte[]>> appliedToLive(List<ConsumerRecord<String, byte[]>> records, Set<UUID> orders)
            throws SQLException {
        record Coordinates(int partition, long offset) {}
        var applied = new HashSet<Coordinates>();
        try (var select = connection.prepareStatement(
                "SELECT partition, \"offset\" FROM order_view_event WHERE order_id = ANY (?)")) {
            select.setObject(1, orders.toArray(UUID[]::new));
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    applied.add(new Coordinates(rows.getInt(1), rows.getLong(2)));
                }
            }
        }
        return records.stream()
                .filter(record -> applied.contains(new Coordinates(record.partition(), record.offset())))
                .toList();
    }

    /** Readers go on; the projection, which begins each batch by locking rows, waits. */
    void blockProjection() throws SQLException {
        execute("LOCK TABLE order_view IN EXCLUSIVE MODE");
    }

    void swapWithLive() throws SQLException {
        execute("SELECT swap_order_view()");
    }

    interface Work {
        int run() throws SQLException;
    }

    int inTransaction(Work work) throws SQLException {
        connection.setAutoCommit(false);
        try {
            var result = work.run();
            connection.commit();
            return result;
        } catch (SQLException | RuntimeException e) {
            connection.rollback();
            throw e;
        } finally {
            connection.setAutoCommit(true);
        }
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private boolean query(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery(sql)) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private static List<UUID> ids(PreparedStatement select) throws SQLException {
        var ids = new ArrayList<UUID>();
        try (var rows = select.executeQuery()) {
            while (rows.next()) {
                ids.add(rows.getObject(1, UUID.class));
            }
        }
        return ids;
    }
}
