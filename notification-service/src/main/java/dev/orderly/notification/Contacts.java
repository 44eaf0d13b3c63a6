package dev.orderly.notification;

import dev.orderly.database.Rows;
import dev.orderly.events.CustomerEvent.Contact;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Map;
import java.util.Map.Entry;
import java.util.UUID;
import javax.sql.DataSource;

/** Mail addresses and phone numbers, the only personal data here: a projection of the customer topic. */
@ApplicationScoped
class Contacts {

    private final DataSource database;

    Contacts(DataSource database) {
        this.database = database;
    }

    /** Inserts or replaces contacts in the current transaction. */
    void save(Map<UUID, Contact> contacts) throws SQLException {
        Rows.of(contacts.entrySet())
                .uuid("customer_id", Entry::getKey)
                .text("mail", entry -> entry.getValue().mail())
                .text("phone", entry -> entry.getValue().phone())
                .update(database, """
                        INSERT INTO contact (:columns) SELECT :columns FROM :rows ORDER BY customer_id
                        ON CONFLICT (customer_id) DO UPDATE SET mail = excluded.mail, phone = excluded.phone
                        """);
    }

    /** Deletes contacts in the current transaction. */
    void erase(Collection<UUID> customers) throws SQLException {
        Rows.of(customers)
                .uuid("customer_id", customerId -> customerId)
                .update(database, "DELETE FROM contact USING :rows WHERE contact.customer_id = rows.customer_id");
    }
}
