package dev.orderly.messaging;

import dev.orderly.database.Rows;
import dev.orderly.events.Publishers;
import dev.orderly.messaging.ConsumedRecord.Versioned;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The second guard behind the {@link Inbox}, without its retention limit: it keeps the last version of each
 * aggregate and source that a consumer group has applied. An older version is a duplicate, whatever its event
 * id. A group that reads all types that a source publishes also detects by a gap that an event is missing,
 * which the inbox cannot.
 */
@ApplicationScoped
class SequenceGuard {

    private final DataSource database;

    SequenceGuard(DataSource database) {
        this.database = database;
    }

    /** The place of a record in the sequence of its aggregate and source. */
    enum Position {
        IN_ORDER,
        DUPLICATE,
        GAP
    }

    private record Sequence(UUID aggregateId, String source) {}

    /** The sequences of these records, as of the current transaction. */
    Batch batch(EventHandler<?> handler, List<? extends ConsumedRecord> records) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT aggregate_id, source, version
                        FROM last_version WHERE consumer = ? AND aggregate_id = ANY (?)
                        """)) {
            select.setString(1, handler.consumerGroup());
            select.setObject(
                    2,
                    records.stream()
                            .filter(Versioned.class::isInstance)
                            .map(record -> ((Versioned) record).aggregateId())
                            .distinct()
                            .toArray(UUID[]::new));
            var last = new HashMap<Sequence, Integer>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    last.put(new Sequence(rows.getObject(1, UUID.class), rows.getString(2)), rows.getInt(3));
                }
            }
            return new Batch(handler, last);
        }
    }

    /** Whether a handler reads all types that the source publishes, and so every version. */
    static boolean seesAllOf(String source, EventHandler<?> handler) {
        var types = Publishers.typesOf(source);
        return !types.isEmpty() && handler.reactsTo().containsAll(types);
    }

    /** The records of one transaction, which are checked in their order. */
    final class Batch {

        private final EventHandler<?> handler;
        private final Map<Sequence, Integer> last;
        private final Map<Sequence, Integer> advanced = new HashMap<>();

        private Batch(EventHandler<?> handler, Map<Sequence, Integer> last) {
            this.handler = handler;
            this.last = last;
        }

        Position check(Versioned record) {
            var before = last.getOrDefault(sequence(record), 0);
            if (record.version() <= before) {
                return Position.DUPLICATE;
            }
            return record.version() > before + 1 && seesAllOf(record.source(), handler)
                    ? Position.GAP
                    : Position.IN_ORDER;
        }

        void advance(Versioned record) {
            last.put(sequence(record), record.version());
            advanced.put(sequence(record), record.version());
        }

        /** Stores how far the sequences have advanced, if and when the current transaction commits. */
        void flush() throws SQLException {
            Rows.of(advanced.keySet())
                    .text("consumer", _ -> handler.consumerGroup())
                    .uuid("aggregate_id", Sequence::aggregateId)
                    .text("source", Sequence::source)
                    .integer("version", advanced::get)
                    .update(database, """
                            INSERT INTO last_version (:columns)
                            SELECT :columns FROM :rows ORDER BY aggregate_id, source
                            ON CONFLICT (consumer, aggregate_id, source) DO UPDATE SET version = excluded.version
                            """);
        }

        private static Sequence sequence(Versioned record) {
            return new Sequence(record.aggregateId(), record.source());
        }
    }
}
