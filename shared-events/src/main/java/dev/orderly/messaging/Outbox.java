package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.Event;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventJson;
import dev.orderly.events.Topic;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * The events that this service publishes. They are rows of a table, written in the transaction of the work
 * that they report, so there is never one without the other (<a
 * href="https://microservices.io/patterns/data/transactional-outbox.html">transactional outbox</a>). The
 * relay, Debezium, reads them from the write-ahead log in commit order and sends them to their topics, at
 * least once.
 */
@ApplicationScoped
public class Outbox {

    private static final String DEAD_LETTER_TOPIC = "order-service.dlq";

    /** In bytes, as a text or not, see the table's CHECKs; far below the limit of the topics. */
    private static final int MAX_PAYLOAD = 262_144;

    // Not COPY, whose rows share one log position: a relay that restarts between two of them could not tell
    // which it has sent (dbz#1554).
    private static final String INSERT = "INSERT INTO outbox (:columns) SELECT :columns FROM :rows ORDER BY ordinality";

    private final DataSource database;
    private final DeferredWrites writes;
    private final PublishedSchemas schemas;
    private final MessageSpans spans;
    private final String source;

    Outbox(
            DataSource database,
            DeferredWrites writes,
            PublishedSchemas schemas,
            MessageSpans spans,
            @ConfigProperty(name = "quarkus.application.name") String source) {
        this.database = database;
        this.writes = writes;
        this.schemas = schemas;
        this.spans = spans;
        this.source = source;
    }

    /**
     * Publishes events, each on its topic and in this order, if and when the current transaction commits.
     *
     * <p>The transaction must hold a lock on the row of each aggregate in this database, so that the order of
     * commits, which is the order on the topic, is the order of versions.
     *
     * @param causes gives the {@code traceparent} of what an event follows from, or null: then it begins a
     *     trace
     */
    public void add(List<OutgoingEvent> events, Function<OutgoingEvent, String> causes) throws SQLException {
        for (var topic : events.stream().map(added -> added.event().topic()).collect(toSet())) {
            if (topic.isErasable()) {
                lockShared(topic);
            }
        }
        var rows = Rows.of(events)
                .text("topic", added -> added.event().topic().topicName())
                .text("key", added -> added.event().id())
                .text("type", added -> added.event().getClass().getSimpleName())
                .text("source", _ -> source)
                .integer("version", OutgoingEvent::version)
                .integer("schema", added -> added.event().schema())
                .text("traceparent", added -> spans.created(added.event(), causes.apply(added)));
        if (schemas.format() == EventFormat.JSON) {
            rows.text("payload", added -> EventJson.write(added.event()));
        } else {
            rows.bytea("payload_bytes", added -> schemas.write(added.event()))
                    .text("content_type", added -> schemas.contentType(added.event()));
        }
        rows.updateLater(writes, INSERT);
    }

    private void lockShared(Topic topic) throws SQLException {
        lock("SELECT pg_advisory_xact_lock_shared(hashtextextended(?, 0))", topic);
    }

    /** Excludes other transactions that add events to an erasable topic, until the current one ends. */
    void lockErasableTopics() throws SQLException {
        for (var topic : Topic.values()) {
            if (topic.isErasable()) {
                lock("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", topic);
            }
        }
    }

    private void lock(String sql, Topic topic) throws SQLException {
        try (var connection = database.getConnection();
                var lock = connection.prepareStatement(sql)) {
            lock.setString(1, topic.topicName());
            lock.execute();
        }
    }

    /**
     * Removes the payloads of a key that are kept here, if and when the current transaction commits; what the
     * relay has yet to send it sends as it was. The transaction must also add an event that
     * {@link Event#erasesKey erases the key}, so that the topic is erased as well.
     */
    public void erase(UUID key) throws SQLException {
        // First: an audit that is publishing an event of the key again would leave its copy readable.
        for (var topic : Topic.values()) {
            if (topic.isErasable()) {
                lockShared(topic);
            }
        }
        try (var connection = database.getConnection();
                var erase = connection.prepareStatement("SELECT erase_from_outbox(?)")) {
            erase.setString(1, key.toString());
            erase.execute();
        }
    }

    /**
     * Publishes a parked event as a dead letter, if and when the current transaction commits: under its own
     * id and key, with its value as it was. A value that is too large, or that is not a text although it
     * names no other content type, is replaced by an empty object; it is still on the topic at
     * {@code origin}, and with the parked event.
     */
    void addDeadLetter(ParkedEvent parked) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO outbox
                            (id, topic, key, type, source, version, schema, payload, payload_bytes, content_type,
                            consumer, reason, origin)
                        VALUES (?, ?, ?, ?, ?, 1, 1, ?, ?, ?, ?, ?, ?)
                        """)) {
            insert.setObject(1, parked.eventId());
            insert.setString(2, DEAD_LETTER_TOPIC);
            insert.setString(3, isEmpty(parked.key()) ? parked.eventId().toString() : parked.key());
            insert.setString(4, isEmpty(parked.type()) ? "Unknown" : parked.type());
            insert.setString(5, source);
            var bytes = isBinary(parked);
            insert.setString(6, bytes ? null : text(parked.payload()));
            insert.setBytes(7, bytes ? parked.payload() : null);
            insert.setString(8, bytes ? parked.contentType() : null);
            insert.setString(9, parked.consumer());
            insert.setString(10, parked.reason());
            insert.setString(11, parked.coordinates());
            insert.executeUpdate();
        }
    }

    private static boolean isEmpty(String text) {
        return text == null || text.isEmpty();
    }

    private static boolean isBinary(ParkedEvent parked) {
        var value = parked.payload();
        var type = parked.contentType();
        return value != null
                && value.length > 0
                && value.length <= MAX_PAYLOAD
                && !isEmpty(type)
                && !type.equals(EventFormat.JSON.contentType());
    }

    private static String text(byte[] value) {
        if (value == null || value.length < 2 || value.length > MAX_PAYLOAD) {
            return "{}";
        }
        try {
            var text = UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
            return text.indexOf(0) < 0 ? text : "{}";
        } catch (CharacterCodingException _) {
            return "{}";
        }
    }
}
