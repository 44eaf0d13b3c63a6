package dev.orderly.payment;

import static java.time.ZoneOffset.UTC;

import dev.orderly.payment.GatewayResult.CallbackEvent;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import javax.sql.DataSource;

/** The acknowledged callbacks, byte by byte as received: an append-only inbox of the gateway's events. */
@ApplicationScoped
class GatewayCallbacks {

    private final DataSource database;

    GatewayCallbacks(DataSource database) {
        this.database = database;
    }

    /** Stores the callback in the current transaction; false when one with this id is stored already. */
    boolean add(CallbackEvent event, byte[] body, Instant now) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO gateway_callback (event_id, order_id, type, body, received_at)
                        VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO NOTHING
                        """)) {
            insert.setString(1, event.id());
            insert.setObject(2, event.paymentId());
            insert.setString(3, event.type());
            insert.setBytes(4, body);
            insert.setObject(5, now.atOffset(UTC));
            return insert.executeUpdate() == 1;
        }
    }

    /** Whether the stored callback with this id has the same body. */
    boolean isStored(CallbackEvent event, byte[] body) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT body FROM gateway_callback WHERE event_id = ?")) {
            select.setString(1, event.id());
            try (var rows = select.executeQuery()) {
                return rows.next() && Arrays.equals(rows.getBytes(1), body);
            }
        }
    }
}
