package dev.orderly.order;

import dev.orderly.database.Rows;
import jakarta.enterprise.context.ApplicationScoped;
import java.security.MessageDigest;
import java.sql.SQLException;
import java.time.Clock;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Which request each customer used an idempotency key for (<a
 * href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">The Idempotency-Key HTTP
 * Header Field</a>).
 */
@ApplicationScoped
class IdempotencyKeys {

    /** The caller chooses the key, so it is unique only among the orders of one customer. */
    record Key(UUID customerId, String key) {}

    /** The request that a key was used for, and the order that it placed. */
    record Claim(byte[] requestHash, UUID orderId) {

        boolean isFor(PendingOrder pending) {
            return MessageDigest.isEqual(requestHash, pending.requestHash());
        }
    }

    private final DataSource database;
    private final Clock clock;

    IdempotencyKeys(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * Claims those of the keys that are free, if and when the current transaction commits. While another
     * transaction claims the same key this waits for its end, so that of any number of parallel requests one
     * is the first.
     *
     * @return the ids of the orders whose keys were free
     */
    Set<UUID> claimKeys(Collection<PendingOrder> orders) throws SQLException {
        var claimed = new HashSet<UUID>();
        if (orders.isEmpty()) {
            return claimed;
        }
        var now = clock.instant();
        try (var connection = database.getConnection();
                var insert = Rows.of(orders)
                        .uuid("customer_id", order -> order.command().customerId())
                        .text("key", PendingOrder::idempotencyKey)
                        .bytea("request_hash", PendingOrder::requestHash)
                        .uuid("order_id", PendingOrder::id)
                        .timestamptz("used_at", _ -> now)
                        .prepare(connection, """
                                INSERT INTO idempotency_key (:columns)
                                SELECT :columns FROM :rows ORDER BY customer_id, key
                                ON CONFLICT DO NOTHING
                                RETURNING order_id
                                """)) {
            try (var rows = insert.executeQuery()) {
                while (rows.next()) {
                    claimed.add(rows.getObject(1, UUID.class));
                }
            }
        }
        return claimed;
    }

    /** The claims of those of the orders' keys that are claimed, also by the current transaction. */
    Map<Key, Claim> existingClaims(Collection<PendingOrder> orders) throws SQLException {
        var claims = new HashMap<Key, Claim>();
        if (orders.isEmpty()) {
            return claims;
        }
        try (var connection = database.getConnection();
                var select = Rows.of(orders)
                        .uuid("customer_id", order -> order.command().customerId())
                        .text("key", PendingOrder::idempotencyKey)
                        .prepare(connection, """
                                SELECT customer_id, key, request_hash, order_id
                                FROM idempotency_key JOIN :rows USING (customer_id, key)
                                """)) {
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    claims.put(
                            new Key(rows.getObject(1, UUID.class), rows.getString(2)),
                            new Claim(rows.getBytes(3), rows.getObject(4, UUID.class)));
                }
            }
        }
        return claims;
    }
}
