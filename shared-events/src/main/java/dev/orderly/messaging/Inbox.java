package dev.orderly.messaging;

import dev.orderly.messaging.ConsumedRecord.Versioned;
import dev.orderly.messaging.SequenceGuard.Sequence;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The events that each consumer group has seen, which makes it an idempotent consumer (<a
 * href="https://microservices.io/patterns/communication-style/idempotent-consumer.html">pattern</a>). The
 * insert decides, never a select before it: in every rebalance a partition has two owners for a moment, and
 * both would select nothing. What else is known of a batch is read in the same round trip.
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

    private static final String PARKED_KEYS = """
            SELECT DISTINCT key FROM parked_event WHERE consumer = ? AND key = ANY (?)
            """;

    private static final String LAST_VERSIONS = """
            SELECT aggregate_id, source, version FROM last_version WHERE consumer = ? AND aggregate_id = ANY (?)
            """;

    /**
     * One round trip, but three statements, each with a snapshot of its own: where the insert has waited for
     * another owner of the partition, the others read what that one has committed. As one statement with the
     * insert in a WITH clause they would read what was before.
     */
    private static final String RECEIVE = String.join(";\n", INSERT, PARKED_KEYS, LAST_VERSIONS);

    private final DataSource database;

    Inbox(DataSource database) {
        this.database = database;
    }

    /**
     * What the group knows about records of a batch.
     *
     * @param added the ids of the events that it had not seen before
     * @param parkedKeys those of the keys that have a parked event
     * @param lastVersions how far the sequences of the aggregates are
     */
    record Received(Set<UUID> added, Set<String> parkedKeys, Map<Sequence, Integer> lastVersions) {}

    /** Records events as seen in the current transaction, and returns what was known before. */
    Received receive(String consumer, List<? extends ConsumedRecord> records) throws SQLException {
        var keys = records.stream().map(ConsumedRecord::key).filter(Objects::nonNull);
        var aggregates =
                records.stream().filter(Versioned.class::isInstance).map(record -> ((Versioned) record).aggregateId());
        return query(
                consumer,
                records.stream().map(ConsumedRecord::eventId).toList(),
                keys.distinct().toArray(String[]::new),
                aggregates.distinct().toArray(UUID[]::new));
    }

    private Received query(String consumer, Collection<UUID> eventIds, String[] keys, UUID[] aggregates)
            throws SQLException {
        try (var connection = database.getConnection();
                var receive = connection.prepareStatement(RECEIVE)) {
            receive.setString(1, consumer);
            receive.setObject(2, eventIds.toArray(UUID[]::new));
            receive.setString(3, consumer);
            receive.setObject(4, keys);
            receive.setString(5, consumer);
            receive.setObject(6, aggregates);
            receive.execute();
            var added = new HashSet<UUID>();
            try (var rows = receive.getResultSet()) {
                while (rows.next()) {
                    added.add(rows.getObject(1, UUID.class));
                }
            }
            var parkedKeys = new HashSet<String>();
            try (var rows = nextResult(receive)) {
                while (rows.next()) {
                    parkedKeys.add(rows.getString(1));
                }
            }
            var lastVersions = new HashMap<Sequence, Integer>();
            try (var rows = nextResult(receive)) {
                while (rows.next()) {
                    lastVersions.put(new Sequence(rows.getObject(1, UUID.class), rows.getString(2)), rows.getInt(3));
                }
            }
            return new Received(added, parkedKeys, lastVersions);
        }
    }

    private static ResultSet nextResult(PreparedStatement statement) throws SQLException {
        statement.getMoreResults();
        return statement.getResultSet();
    }
}
