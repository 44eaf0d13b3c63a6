package dev.orderly.inventory;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
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
    private final DeferredWrites writes;

    Stocks(DataSource database, DeferredWrites writes) {
        this.database = database;
        this.writes = writes;
    }

    Optional<Stock> find(String sku) throws SQLException {
        try (var connection = database.getConnection();
                var select =
                        connection.prepareStatement("SELECT sku, available, reserved, sold FROM stock WHERE sku = ?")) {
            select.setString(1, sku);
            return stocks(select.executeQuery()).stream().findFirst();
        }
    }

    /** The first SKUs in order after the given one; all are after the empty string. */
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

    /** Adds an empty stock of a SKU unless there is one; of any number of transactions, one adds it. */
    boolean add(String sku) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(
                        "INSERT INTO stock (sku, available) VALUES (?, 0) ON CONFLICT DO NOTHING")) {
            insert.setString(1, sku);
            return insert.executeUpdate() == 1;
        }
    }

    /** Sets how many of a SKU are available that the current transaction has locked. */
    Stock setAvailable(String sku, long available) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE stock SET available = ? WHERE sku = ? RETURNING sku, available, reserved, sold
                        """)) {
            update.setLong(1, available);
            update.setString(2, sku);
            return stocks(update.executeQuery()).getFirst();
        }
    }

    /** The stock of those of the SKUs that exist, locked until the current transaction ends. */
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

    /** Stores the stock of SKUs that the current transaction has locked, by one statement for all orders. */
    void update(Collection<Stock> changed) throws SQLException {
        Rows.of(changed)
                .text("sku", Stock::sku)
                .bigint("available", Stock::available)
                .bigint("reserved", Stock::reserved)
                .bigint("sold", Stock::sold)
                .updateEachLater(writes, """
                        UPDATE stock
                        SET available = rows.available, reserved = rows.reserved, sold = rows.sold
                        FROM :rows WHERE stock.sku = rows.sku
                        """);
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
