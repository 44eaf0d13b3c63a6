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

/**
 * Mail addresses and phone numbers of customers: a projection of the customer topic, the only personal data
 * here.
 */
@ApplicationScoped
class Contacts {

    private final DataSource database;

    Contacts(DataSource database) {
        this.database = database;
    }

    /** Inserts or replaces contacts in the current transaction. */
    void save(Map<UUID, Contact> contacts) throws SQLException {
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

    /** Deletes contacts in the current transaction. */
    void erase(Collection<UUID> customers) throws SQLException {
        try (var connection = database.getConnection();
                var delete = connection.prepareStatement("DELETE FROM contact WHERE customer_id = ANY (?)")) {
            delete.setObject(1, customers.toArray(UUID[]::new));
            delete.executeUpdate();
        }
    }
}
