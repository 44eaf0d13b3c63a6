package dev.orderly.messaging;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.Publishers;
import dev.orderly.messaging.ConsumedRecord.Versioned;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The second guard behind the {@link Inbox}, without its retention limit: it keeps the last version of each
 * aggregate and source that a consumer group has applied. An older version is a duplicate, whatever its event
 * id. A group that reads all types that a source publishes also detects by a gap that an event is missing,
 * which the inbox cannot.
 */
@ApplicationScoped
class SequenceGuard {

    private final DeferredWrites writes;

    SequenceGuard(DeferredWrites writes) {
        this.writes = writes;
    }

    /** The place of a record in the sequence of its aggregate and source. */
    enum Position {
        IN_ORDER,
        DUPLICATE,
        GAP
    }

    /** What a source publishes about an aggregate. */
    record Sequence(UUID aggregateId, String source) {}

    /** @param last the last versions of the sequences that the batch may advance */
    Batch batch(EventHandler<?> handler, Map<Sequence, Integer> last) {
        return new Batch(handler, last);
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
        void save() {
            Rows.of(advanced.keySet())
                    .text("consumer", _ -> handler.consumerGroup())
                    .uuid("aggregate_id", Sequence::aggregateId)
                    .text("source", Sequence::source)
                    .integer("version", advanced::get)
                    .updateLater(writes, """
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
