package dev.orderly.payment;

import static java.time.ZoneOffset.UTC;

import dev.orderly.payment.GatewayResult.CallbackEvent;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import javax.sql.DataSource;

/** The callbacks that we have acknowledged, byte by byte as they came, only ever added to. */
@ApplicationScoped
class GatewayCallbacks {

    private final DataSource database;

    GatewayCallbacks(DataSource database) {
        this.database = database;
    }

    /** Stores it, in the current transaction; false when there is one with this id. */
    boolean add(CallbackEvent told, byte[] body, Instant now) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO gateway_callback (event_id, order_id, type, body, received_at)
                        VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO NOTHING
                        """)) {
            insert.setString(1, told.id());
            insert.setObject(2, told.paymentId());
            insert.setString(3, told.type());
            insert.setBytes(4, body);
            insert.setObject(5, now.atOffset(UTC));
            return insert.executeUpdate() == 1;
        }
    }

    /** Whether the one with this id says the same, to the byte. */
    boolean isStored(CallbackEvent told, byte[] body) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT body FROM gateway_callback WHERE event_id = ?")) {
            select.setString(1, told.id());
            try (var rows = select.executeQuery()) {
                return rows.next() && Arrays.equals(rows.getBytes(1), body);
            }
        }
    }
}
