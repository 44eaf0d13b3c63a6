package dev.orderly.messaging;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The events that each consumer group has seen, which makes it an idempotent consumer (<a
 * href="https://microservices.io/patterns/communication-style/idempotent-consumer.html">pattern</a>). The
 * insert decides, never a select before it: in every rebalance a partition has two owners for a moment, and
 * both would select nothing.
 */
@ApplicationScoped
class Inbox {

    // Sorted, so that two owners of a partition wait for each other instead of deadlocking. The day comes
    // from the id, a UUIDv7, and not from the clock, so that it is the same for every delivery; other ids
    // share the default partition.
    private static final String INSERT = """
            INSERT INTO inbox (event_day, consumer, event_id)
            SELECT coalesce((uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, DATE '1970-01-01'), ?, id
            FROM unnest(?::uuid[]) AS id
            ORDER BY 1, 3
            ON CONFLICT DO NOTHING
            RETURNING event_id
            """;

    private final DataSource database;

    Inbox(DataSource database) {
        this.database = database;
    }

    /** Records events as seen in the current transaction, and returns those that were not before. */
    Set<UUID> addNew(String consumer, Collection<UUID> eventIds) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, consumer);
            insert.setObject(2, eventIds.toArray(UUID[]::new));
            var added = new HashSet<UUID>();
            try (var rows = insert.executeQuery()) {
                while (rows.next()) {
                    added.add(rows.getObject(1, UUID.class));
                }
            }
            return added;
        }
    }
}
