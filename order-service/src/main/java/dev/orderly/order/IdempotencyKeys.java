package dev.orderly.order;

import static dev.orderly.database.SqlArrays.column;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Which request each customer's idempotency key was used for (<a
 * href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">The Idempotency-Key HTTP Header
 * Field</a>).
 */
@ApplicationScoped
class IdempotencyKeys {

    /** Whose key it is: the caller's choice, so it is unique only among the orders of one customer. */
    record Key(UUID customerId, String key) {}

    /** What a key is used for. */
    record Use(byte[] requestHash, UUID orderId) {}

    private final DataSource database;
    private final Clock clock;

    IdempotencyKeys(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * Takes those of the keys that are free, if and when the current transaction commits. While another transaction is
     * taking the same key this waits for its end, so that of any number of parallel requests one is the first.
     *
     * @return the orders whose keys were free
     */
    Set<UUID> take(Map<UUID, Key> keys, Map<UUID, byte[]> requestHashes) throws SQLException {
        var orders = List.copyOf(keys.keySet());
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO idempotency_key (customer_id, key, request_hash, order_id, used_at)
                        SELECT *, ?::timestamptz FROM unnest(?::uuid[], ?::text[], ?::bytea[], ?::uuid[]) ORDER BY 1, 2
                        ON CONFLICT DO NOTHING
                        RETURNING order_id
                        """)) {
            insert.setTimestamp(1, Timestamp.from(clock.instant()));
            insert.setObject(2, column(orders, order -> keys.get(order).customerId, UUID[]::new));
            insert.setObject(3, column(orders, order -> keys.get(order).key, String[]::new));
            insert.setArray(4, connection.createArrayOf("bytea", column(orders, requestHashes::get, byte[][]::new)));
            insert.setObject(5, orders.toArray(UUID[]::new));
            var taken = new HashSet<UUID>();
            try (var rows = insert.executeQuery()) {
                while (rows.next()) {
                    taken.add(rows.getObject(1, UUID.class));
                }
            }
            return taken;
        }
    }

    /** What those of the keys that are taken were taken for. */
    Map<Key, Use> uses(Collection<Key> keys) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT customer_id, key, request_hash, order_id
                        FROM idempotency_key JOIN unnest(?::uuid[], ?::text[]) AS wanted (customer_id, key)
                            USING (customer_id, key)
                        """)) {
            select.setObject(1, column(keys, Key::customerId, UUID[]::new));
            select.setObject(2, column(keys, Key::key, String[]::new));
            var uses = new HashMap<Key, Use>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    uses.put(
                            new Key(rows.getObject(1, UUID.class), rows.getString(2)),
                            new Use(rows.getBytes(3), rows.getObject(4, UUID.class)));
                }
            }
            return uses;
        }
    }
}
