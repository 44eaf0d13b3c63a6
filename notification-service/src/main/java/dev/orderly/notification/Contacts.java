package dev.orderly.notification;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.events.CustomerEvent.Contact;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/** How to reach customers: what the topic of customers says, and gone when it says so. */
@ApplicationScoped
class Contacts {

    private final DataSource database;

    Contacts(DataSource database) {
        this.database = database;
    }

    /** Notes the newest contacts, in the current transaction. */
    void put(Map<UUID, Contact> contacts) throws SQLException {
        try (var connection = database.getConnection();
                var upsert = connection.prepareStatement("""
                        INSERT INTO contact (customer_id, mail, phone)
                        SELECT * FROM unnest(?::uuid[], ?::text[], ?::text[]) ORDER BY 1
                        ON CONFLICT (customer_id) DO UPDATE SET mail = excluded.mail, phone = excluded.phone
                        """)) {
            var customers = List.copyOf(contacts.keySet());
            upsert.setObject(1, customers.toArray(UUID[]::new));
            upsert.setObject(
                    2, column(customers, customer -> contacts.get(customer).mail(), String[]::new));
            upsert.setObject(
                    3, column(customers, customer -> contacts.get(customer).phone(), String[]::new));
            upsert.executeUpdate();
        }
    }

    /** Forgets them, in the current transaction. */
    void erase(Collection<UUID> customers) throws SQLException {
        try (var connection = database.getConnection();
                var delete = connection.prepareStatement("DELETE FROM contact WHERE customer_id = ANY (?)")) {
            delete.setObject(1, customers.toArray(UUID[]::new));
            delete.executeUpdate();
        }
    }
}
