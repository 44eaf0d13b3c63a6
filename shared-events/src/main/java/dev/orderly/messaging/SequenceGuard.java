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
 * The second guard behind the {@link Inbox}, which never forgets: of every order or customer, and source, the last version
 * that a consumer group has let pass. What is older is known, whatever its event id; and a group that takes everything a
 * source publishes about orders sees by a gap that something is missing, which the inbox cannot.
 */
@ApplicationScoped
class SequenceGuard {

    private final DataSource database;

    SequenceGuard(DataSource database) {
        this.database = database;
    }

    enum Verdict {
        NEXT,
        OLD,
        GAP
    }

    private record Sequence(UUID about, String source) {}

    /** What is known of whom these deliveries are about, for the length of the current transaction. */
    Batch batch(EventHandler<?> handler, List<? extends ConsumedRecord> deliveries) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT about, source, version FROM last_version WHERE consumer = ? AND about = ANY (?)")) {
            select.setString(1, handler.consumerGroup());
            select.setObject(
                    2,
                    deliveries.stream()
                            .filter(Versioned.class::isInstance)
                            .map(delivery -> ((Versioned) delivery).about())
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

    /** Whether a group that reacts to these types sees every version of the source. */
    static boolean seesAllOf(String source, EventHandler<?> handler) {
        var types = Publishers.typesOf(source);
        return !types.isEmpty() && handler.reactsTo().containsAll(types);
    }

    /** The events of one transaction, judged in their order. */
    final class Batch {

        private final EventHandler<?> handler;
        private final Map<Sequence, Integer> last;
        private final Map<Sequence, Integer> passed = new HashMap<>();

        private Batch(EventHandler<?> handler, Map<Sequence, Integer> last) {
            this.handler = handler;
            this.last = last;
        }

        /** Judges without letting pass. */
        Verdict judge(Versioned delivery) {
            var before = last.getOrDefault(sequence(delivery), 0);
            if (delivery.version() <= before) {
                return Verdict.OLD;
            }
            return delivery.version() > before + 1 && seesAllOf(delivery.source(), handler)
                    ? Verdict.GAP
                    : Verdict.NEXT;
        }

        void pass(Versioned delivery) {
            last.put(sequence(delivery), delivery.version());
            passed.put(sequence(delivery), delivery.version());
        }

        /** Remembers for good what has passed, if and when the current transaction commits. */
        void save() throws SQLException {
            Rows.of(passed.keySet())
                    .text("consumer", _ -> handler.consumerGroup())
                    .uuid("about", Sequence::about)
                    .text("source", Sequence::source)
                    .integer("version", passed::get)
                    .update(database, """
                            INSERT INTO last_version (:columns)
                            SELECT :columns FROM :rows ORDER BY about, source
                            ON CONFLICT (consumer, about, source) DO UPDATE SET version = excluded.version
                            """);
        }

        private static Sequence sequence(Versioned delivery) {
            return new Sequence(delivery.about(), delivery.source());
        }
    }
}
