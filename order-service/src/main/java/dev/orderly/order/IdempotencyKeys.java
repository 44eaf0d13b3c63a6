package dev.orderly.order;

import dev.orderly.database.Rows;
import dev.orderly.http.IdempotencyKey;
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
 * Header Field</a>). A key is unique only among those of its origin and customer, because its caller chooses
 * it; stored is its {@linkplain IdempotencyKey#hash hash}.
 */
@ApplicationScoped
class IdempotencyKeys {

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
                        .text("origin", PendingOrder::origin)
                        .bytea("key_hash", order -> IdempotencyKey.hash(order.idempotencyKey()))
                        .bytea("request_hash", PendingOrder::requestHash)
                        .uuid("order_id", PendingOrder::id)
                        .timestamptz("used_at", _ -> now)
                        .prepare(connection, """
                                INSERT INTO order_key (:columns)
                                SELECT :columns FROM :rows ORDER BY customer_id, origin, key_hash
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

    /**
     * The claims of those of the orders' keys that are claimed, also by the current transaction.
     *
     * @return by the id of the pending order
     */
    Map<UUID, Claim> existingClaims(Collection<PendingOrder> orders) throws SQLException {
        var claims = new HashMap<UUID, Claim>();
        if (orders.isEmpty()) {
            return claims;
        }
        try (var connection = database.getConnection();
                var select = Rows.of(orders)
                        .uuid("pending_id", PendingOrder::id)
                        .uuid("customer_id", order -> order.command().customerId())
                        .text("origin", PendingOrder::origin)
                        .bytea("key_hash", order -> IdempotencyKey.hash(order.idempotencyKey()))
                        .prepare(connection, """
                                SELECT pending_id, request_hash, order_id
                                FROM order_key JOIN :rows USING (customer_id, origin, key_hash)
                                """)) {
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    claims.put(
                            rows.getObject(1, UUID.class), new Claim(rows.getBytes(2), rows.getObject(3, UUID.class)));
                }
            }
        }
        return claims;
    }
}
