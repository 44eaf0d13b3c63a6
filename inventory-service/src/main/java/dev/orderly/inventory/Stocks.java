package dev.orderly.inventory;

import static dev.orderly.database.SqlArrays.column;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.sql.DataSource;

/** The stock of all SKUs, one row each. */
@ApplicationScoped
class Stocks {

    private final DataSource database;

    Stocks(DataSource database) {
        this.database = database;
    }

    Optional<Stock> find(String sku) throws SQLException {
        try (var connection = database.getConnection();
                var select =
                        connection.prepareStatement("SELECT sku, available, reserved, sold FROM stock WHERE sku = ?")) {
            select.setString(1, sku);
            return stocks(select.executeQuery()).stream().findFirst();
        }
    }

    /** The first SKUs in order behind one; behind the empty string are all. */
    List<Stock> page(String after, int limit) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT sku, available, reserved, sold FROM stock WHERE sku > ? ORDER BY sku LIMIT ?
                        """)) {
            select.setString(1, after);
            select.setInt(2, limit);
            return stocks(select.executeQuery());
        }
    }

    /** Sets how many are available; what is reserved and sold stays as it is. */
    Stock restock(String sku, long available) throws SQLException {
        // One statement: it waits for the batch that has the row, and what that took is not given back by mistake.
        try (var connection = database.getConnection();
                var upsert = connection.prepareStatement("""
                        INSERT INTO stock (sku, available) VALUES (?, ?)
                        ON CONFLICT (sku) DO UPDATE SET available = excluded.available
                        RETURNING sku, available, reserved, sold
                        """)) {
            upsert.setString(1, sku);
            upsert.setLong(2, available);
            return stocks(upsert.executeQuery()).getFirst();
        }
    }

    /** The stock of those of the SKUs that we keep, locked until the current transaction ends. */
    Map<String, Stock> lock(Set<String> skus) throws SQLException {
        // Sorted, so that two batches wait for each other instead of deadlocking.
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT sku, available, reserved, sold
                        FROM stock WHERE sku = ANY (?) ORDER BY sku FOR UPDATE
                        """)) {
            select.setObject(1, skus.toArray(String[]::new));
            var bySku = new HashMap<String, Stock>();
            stocks(select.executeQuery()).forEach(stock -> bySku.put(stock.sku(), stock));
            return bySku;
        }
    }

    /** Stores the stock of SKUs that the current transaction has locked: one statement, however many orders it serves. */
    void update(Collection<Stock> changed) throws SQLException {
        if (changed.isEmpty()) {
            return;
        }
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE stock
                        SET available = now.available, reserved = now.reserved, sold = now.sold
                        FROM unnest(?::text[], ?::bigint[], ?::bigint[], ?::bigint[])
                            AS now (sku, available, reserved, sold)
                        WHERE stock.sku = now.sku
                        """)) {
            update.setObject(1, column(changed, Stock::sku, String[]::new));
            update.setObject(2, column(changed, Stock::available, Long[]::new));
            update.setObject(3, column(changed, Stock::reserved, Long[]::new));
            update.setObject(4, column(changed, Stock::sold, Long[]::new));
            var updated = update.executeUpdate();
            if (updated != changed.size()) {
                throw new IllegalStateException("of " + changed.size() + " SKUs only " + updated + " are there");
            }
        }
    }

    private static List<Stock> stocks(ResultSet rows) throws SQLException {
        try (rows) {
            var stocks = new ArrayList<Stock>();
            while (rows.next()) {
                stocks.add(new Stock(rows.getString(1), rows.getLong(2), rows.getLong(3), rows.getLong(4)));
            }
            return stocks;
        }
    }
}
