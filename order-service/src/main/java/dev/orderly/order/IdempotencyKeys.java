package dev.orderly.order;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Clock;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Which request each customer's idempotency key was used for (<a
 * href="https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/">The Idempotency-Key HTTP Header
 * Field</a>).
 */
@ApplicationScoped
class IdempotencyKeys {

    /** The first use of a key. */
    record Use(byte[] requestHash, UUID orderId) {}

    private final DataSource database;
    private final Clock clock;

    IdempotencyKeys(DataSource database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /**
     * Takes the key for an order if and when the current transaction commits. While another transaction is taking the same
     * key this waits for its end, so that of any number of parallel requests one is the first.
     *
     * @return the use that came before this one, if any
     */
    Optional<Use> take(UUID customerId, String key, Use use) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO idempotency_key (customer_id, key, request_hash, order_id, used_at)
                        VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO NOTHING
                        """)) {
            insert.setObject(1, customerId);
            insert.setString(2, key);
            insert.setBytes(3, use.requestHash());
            insert.setObject(4, use.orderId());
            insert.setTimestamp(5, Timestamp.from(clock.instant()));
            if (insert.executeUpdate() == 1) {
                return Optional.empty();
            }
            try (var select = connection.prepareStatement(
                    "SELECT request_hash, order_id FROM idempotency_key WHERE customer_id = ? AND key = ?")) {
                select.setObject(1, customerId);
                select.setString(2, key);
                try (var row = select.executeQuery()) {
                    row.next();
                    return Optional.of(new Use(row.getBytes(1), row.getObject(2, UUID.class)));
                }
            }
        }
    }
}
