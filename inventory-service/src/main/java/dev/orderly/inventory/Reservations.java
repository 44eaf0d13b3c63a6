package dev.orderly.inventory;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.events.EventJson;
import dev.orderly.inventory.Reservation.Item;
import dev.orderly.inventory.Reservation.Status;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/** The reservations of all orders, one row each. */
@ApplicationScoped
class Reservations {

    private final DataSource database;

    Reservations(DataSource database) {
        this.database = database;
    }

    /** Those of the orders that we have heard of, locked until the current transaction ends. */
    Map<UUID, Reservation> lock(Set<UUID> orderIds) throws SQLException {
        // Sorted, so that two batches wait for each other instead of deadlocking.
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT order_id, status, items
                        FROM reservation WHERE order_id = ANY (?) ORDER BY order_id FOR UPDATE
                        """)) {
            select.setObject(1, orderIds.toArray(UUID[]::new));
            var byOrder = new HashMap<UUID, Reservation>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var orderId = rows.getObject(1, UUID.class);
                    var items = List.of(EventJson.readValue(Item[].class, rows.getString(3)));
                    byOrder.put(orderId, new Reservation(orderId, Status.valueOf(rows.getString(2)), items));
                }
            }
            return byOrder;
        }
    }

    /**
     * Stores the reservations of orders that were not heard of before. Should somebody else have heard of one meanwhile, it
     * fails: writing over that would lose the pieces that it holds.
     */
    void add(Collection<Reservation> added) throws SQLException {
        if (added.isEmpty()) {
            return;
        }
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO reservation (order_id, status, items)
                        SELECT * FROM unnest(?::uuid[], ?::text[], ?::jsonb[]) ORDER BY 1
                        """)) {
            insert.setObject(1, column(added, Reservation::orderId, UUID[]::new));
            insert.setObject(
                    2, column(added, reservation -> reservation.status().name(), String[]::new));
            insert.setObject(3, column(added, reservation -> EventJson.writeValue(reservation.items()), String[]::new));
            insert.executeUpdate();
        }
    }

    /** Stores what became of reservations that the current transaction has locked. */
    void update(Collection<Reservation> changed) throws SQLException {
        if (changed.isEmpty()) {
            return;
        }
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE reservation SET status = now.status
                        FROM unnest(?::uuid[], ?::text[]) AS now (order_id, status)
                        WHERE reservation.order_id = now.order_id
                        """)) {
            update.setObject(1, column(changed, Reservation::orderId, UUID[]::new));
            update.setObject(
                    2, column(changed, reservation -> reservation.status().name(), String[]::new));
            update.executeUpdate();
        }
    }
}
