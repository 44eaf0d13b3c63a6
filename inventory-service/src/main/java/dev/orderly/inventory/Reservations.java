package dev.orderly.inventory;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
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
    private final DeferredWrites writes;

    Reservations(DataSource database, DeferredWrites writes) {
        this.database = database;
        this.writes = writes;
    }

    /** The stored reservations of these orders, locked until the current transaction ends. */
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
     * Stores the reservations of orders that had none. It fails when a concurrent transaction has added one:
     * overwriting that would lose the stock that it holds.
     */
    void add(Collection<Reservation> added) throws SQLException {
        Rows.of(added)
                .uuid("order_id", Reservation::orderId)
                .text("status", Reservation::status)
                .jsonb("items", reservation -> EventJson.writeValue(reservation.items()))
                .updateLater(writes, "INSERT INTO reservation (:columns) SELECT :columns FROM :rows ORDER BY order_id");
    }

    /** Stores the new status of reservations that the current transaction has locked. */
    void update(Collection<Reservation> changed) throws SQLException {
        Rows.of(changed)
                .uuid("order_id", Reservation::orderId)
                .text("status", Reservation::status)
                .updateEachLater(writes, """
                        UPDATE reservation SET status = rows.status
                        FROM :rows WHERE reservation.order_id = rows.order_id
                        """);
    }
}
