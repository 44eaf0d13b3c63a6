package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.events.EventHeaders;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Events that could not take effect, kept whole and with their reason. Parking is by key: once an event of an order is
 * parked, the later ones of that order park behind it, so that their order is kept, and all other orders flow on.
 */
@ApplicationScoped
class ParkedEvents {

    /** Characters of a text that somebody else wrote; the rest is cut off. */
    private static final int MAX_TEXT = 1000;

    enum Reason {
        /** Not an event that this code can read. */
        UNREADABLE,
        /** The handler refused it. */
        FAILED,
        /** An earlier event of the same order is parked. */
        BEHIND
    }

    private static final String INSERT = """
            INSERT INTO parked_event
                (consumer, event_id, topic, partition, "offset", key, type, headers, payload, reason, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            """;

    private final DataSource database;

    ParkedEvents(DataSource database) {
        this.database = database;
    }

    /** Those of the keys that have a parked event. */
    Set<String> keysAmong(String consumer, Collection<String> keys) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT DISTINCT key FROM parked_event WHERE consumer = ? AND key = ANY (?)")) {
            select.setString(1, consumer);
            select.setObject(2, keys.toArray(String[]::new));
            var parked = new HashSet<String>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    parked.add(rows.getString(1));
                }
            }
            return parked;
        }
    }

    void add(String consumer, Delivery delivery, Reason reason, String detail) throws SQLException {
        var record = delivery.record();
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, consumer);
            insert.setObject(2, delivery.eventId());
            insert.setString(3, record.topic());
            insert.setInt(4, record.partition());
            insert.setLong(5, record.offset());
            insert.setString(6, delivery.key());
            insert.setString(7, storable(Delivery.header(record, EventHeaders.TYPE)));
            insert.setObject(8, headers(record));
            insert.setBytes(9, record.value());
            insert.setString(10, reason.name());
            insert.setString(11, storable(detail));
            insert.executeUpdate();
        }
    }

    private static String[] headers(ConsumerRecord<String, byte[]> record) {
        var headers = new ArrayList<String>();
        for (var header : record.headers()) {
            headers.add(
                    storable(header.key() + '=' + (header.value() == null ? "" : new String(header.value(), UTF_8))));
        }
        return headers.toArray(String[]::new);
    }

    /** PostgreSQL refuses NUL in a text, and what cannot be parked would hold up its partition for ever. */
    static String storable(String text) {
        if (text == null) {
            return null;
        }
        var clean = text.replace('\0', '\uFFFD');
        return clean.length() <= MAX_TEXT ? clean : clean.substring(0, MAX_TEXT);
    }
}
