package dev.orderly.inventory;

import dev.orderly.http.IdempotencyKey;
import dev.orderly.inventory.Restock.Kind;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/** The restocks that were made under an idempotency key, unique per SKU. */
@ApplicationScoped
class Restocks {

    private final DataSource database;

    Restocks(DataSource database) {
        this.database = database;
    }

    /** @param result the stock after it */
    record Made(Restock restock, Stock result) {}

    Optional<Made> find(String sku, String key) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT kind, quantity, available, reserved, sold FROM restock WHERE sku = ? AND key = ?
                        """)) {
            select.setString(1, sku);
            select.setBytes(2, IdempotencyKey.hash(key));
            try (var row = select.executeQuery()) {
                return row.next()
                        ? Optional.of(new Made(
                                new Restock(Kind.valueOf(row.getString(1)), row.getLong(2)),
                                new Stock(sku, row.getLong(3), row.getLong(4), row.getLong(5))))
                        : Optional.empty();
            }
        }
    }

    void add(String key, Made made) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO restock (sku, key, kind, quantity, available, reserved, sold)
                        VALUES (?, ?, ?, ?, ?, ?, ?)
                        """)) {
            insert.setString(1, made.result().sku());
            insert.setBytes(2, IdempotencyKey.hash(key));
            insert.setString(3, made.restock().kind().name());
            insert.setLong(4, made.restock().quantity());
            insert.setLong(5, made.result().available());
            insert.setLong(6, made.result().reserved());
            insert.setLong(7, made.result().sold());
            insert.executeUpdate();
        }
    }
}
