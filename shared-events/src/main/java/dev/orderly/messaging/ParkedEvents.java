package dev.orderly.messaging;

import dev.orderly.database.DataRejectedException;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.events.Topic;
import dev.orderly.messaging.ConsumedRecord.NewerSchema;
import dev.orderly.messaging.ConsumedRecord.Versioned;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Events that could not take effect, stored whole and with their reason. Parking is by key: once an event is
 * parked, the later ones of its key park behind it, so that their order is kept, and all other keys flow on.
 * Parked events are retried on a schedule ({@link ParkedRetries}). After the last retry a copy goes to the
 * dead letter topic, and the event stays here until an operator redrives or discards it.
 *
 * <p>An event of an {@linkplain Topic#isErasable erasable} topic becomes no dead letter, is not shown, and
 * leaves no copy in the audit: it is personal data, which must be gone when its key is
 * {@linkplain #erase erased}.
 */
@ApplicationScoped
class ParkedEvents {

    /** The names are on the wire: in the answers of HTTP and in the headers of dead letters. */
    enum Reason {
        /** This code cannot decode the event; a retry by the same code would fail as well. */
        UNREADABLE,
        /** It is of a schema newer than this instance reads, and waits for one that is newer. */
        NEWER_SCHEMA,
        /** The handler or a statement rejected it. */
        FAILED,
        /** A version before it is missing. */
        GAP,
        /** It is blocked by its key: an earlier event of the same key is parked. */
        BEHIND
    }

    private static final String INSERT = """
            INSERT INTO parked_event
                (consumer, event_id, topic, partition, "offset", key, type, source, version, headers, payload, reason,
                detail, next_attempt_at, parked_at, schema, blocked)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING
            RETURNING
            """ + ParkedEvent.COLUMNS;

    /**
     * The events that one waits for: those that were parked before it under its key. But a gap does not hold
     * up a lower version of the same source, which may be the one that is missing. And what begins an order,
     * the first event of the service that the topic has its name from, does not wait for what other services
     * have published about it.
     */
    private static final String EARLIER = """
            FROM parked_event earlier
            WHERE earlier.consumer = parked.consumer AND earlier.key = parked.key AND earlier.seq < parked.seq
              AND NOT coalesce(
                  earlier.reason IN ('GAP', 'BEHIND') AND earlier.source = parked.source
                      AND earlier.version > parked.version
                  OR parked.version = 1 AND parked.source = parked.topic AND earlier.source <> parked.source,
                  false)
            """;

    /**
     * Looks at one after another until there is one: a NOT EXISTS would be joined to all that are due, and
     * the first of ten thousand would cost as much as all. Whether it waits is asked again, since instances
     * of the version before do not know {@code blocked}.
     */
    static final String LOCK_DUE = "SELECT " + ParkedEvent.COLUMNS + """
            FROM parked_event parked
            WHERE consumer = ? AND next_attempt_at <= ? AND NOT blocked AND (schema IS NULL OR schema <= ?)
              AND (SELECT count(*)
            """ + EARLIER + """
                  ) = 0
            ORDER BY next_attempt_at, seq
            LIMIT 1
            FOR UPDATE SKIP LOCKED
            """;

    private static final String RELEASE = """
            UPDATE parked_event parked SET blocked = false
            WHERE consumer = ? AND key = ? AND blocked AND NOT EXISTS (SELECT
            """ + EARLIER + ")";

    /** A retry has it locked, and has released what follows by the time that this returns. */
    private static final String LOCK_FIRST =
            "SELECT FROM parked_event WHERE consumer = ? AND key = ? ORDER BY seq LIMIT 1 FOR SHARE";

    private static final String RELEASE_ALL = """
            UPDATE parked_event parked SET blocked = false
            WHERE blocked AND NOT EXISTS (SELECT
            """ + EARLIER + ")";

    private static final String BLOCK_ALL = """
            UPDATE parked_event parked SET blocked = true
            WHERE NOT blocked AND reason = 'BEHIND' AND EXISTS (SELECT
            """ + EARLIER + ")";

    private final DataSource database;
    private final Outbox outbox;
    private final ParkedEventAudit audit;
    private final Clock clock;
    private final List<Duration> retryDelays;

    ParkedEvents(
            DataSource database,
            Outbox outbox,
            ParkedEventAudit audit,
            Clock clock,
            @ConfigProperty(name = "orderly.parked.retry-delays") List<Duration> retryDelays) {
        this.database = database;
        this.outbox = outbox;
        this.audit = audit;
        this.clock = clock;
        this.retryDelays = retryDelays;
    }

    void add(EventHandler<?> handler, ConsumedRecord record, Reason reason, String detail) throws SQLException {
        var raw = record.raw();
        var now = clock.instant();
        var nextAttempt = switch (reason) {
            case UNREADABLE, NEWER_SCHEMA -> null;
            case FAILED, GAP -> now.plus(retryDelays.getFirst());
            case BEHIND -> now;
        };
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            if (reason == Reason.BEHIND) {
                execute(connection, LOCK_FIRST, handler.consumerGroup(), record.key());
            }
            insert.setString(1, handler.consumerGroup());
            insert.setObject(2, record.eventId());
            insert.setString(3, raw.topic());
            insert.setInt(4, raw.partition());
            insert.setLong(5, raw.offset());
            insert.setString(6, record.key());
            insert.setString(7, StorableText.of(ConsumedRecord.header(raw, EventHeaders.TYPE)));
            insert.setString(8, StorableText.of(ConsumedRecord.header(raw, EventHeaders.SOURCE)));
            insert.setObject(9, record instanceof Versioned versioned ? versioned.version() : null);
            insert.setObject(10, ParkedEvent.headers(raw));
            insert.setBytes(11, raw.value());
            insert.setString(12, reason.name());
            insert.setString(13, StorableText.of(detail));
            setTime(insert, 14, nextAttempt);
            setTime(insert, 15, now);
            insert.setObject(16, record instanceof NewerSchema newer ? newer.schema() : null);
            insert.setBoolean(17, reason == Reason.BEHIND);
            var added = events(insert);
            if (reason == Reason.BEHIND) {
                execute(connection, RELEASE, handler.consumerGroup(), record.key());
            }
            if (!handler.isSecondReader()) {
                publishUnlessRetried(added);
            }
        }
    }

    /** Publishes events as dead letters, if no retry is scheduled. */
    private void publishUnlessRetried(List<ParkedEvent> events) throws SQLException {
        for (var parked : events) {
            if (parked.nextAttemptAt() == null
                    && !parked.reason().equals(Reason.NEWER_SCHEMA.name())
                    && !Topic.isErasable(parked.topic())) {
                outbox.addDeadLetter(parked);
            }
        }
    }

    /** The next event that was due by then, locked; empty if there is none, or others are at work on all. */
    Optional<ParkedEvent> lockDue(String consumer, Instant now) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(LOCK_DUE)) {
            select.setString(1, consumer);
            setTime(select, 2, now);
            select.setInt(3, EventJson.SCHEMA);
            return events(select).stream().findFirst();
        }
    }

    /** Makes due what older instances could not read and this one can. */
    void releaseReadable() throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE parked_event SET next_attempt_at = ?
                        WHERE reason = 'NEWER_SCHEMA' AND next_attempt_at IS NULL AND schema <= ?
                        """)) {
            setTime(update, 1, clock.instant());
            update.setInt(2, EventJson.SCHEMA);
            update.executeUpdate();
        }
    }

    /** Marks as blocked what waits for another, and nothing else. */
    void correctBlocked() throws SQLException {
        try (var connection = database.getConnection()) {
            execute(connection, RELEASE_ALL);
            execute(connection, BLOCK_ALL);
        }
    }

    private static void execute(Connection connection, String sql, String... parameters) throws SQLException {
        try (var statement = connection.prepareStatement(sql)) {
            for (var i = 0; i < parameters.length; i++) {
                statement.setString(i + 1, parameters[i]);
            }
            statement.execute();
        }
    }

    /** Removes an event that has taken effect; those that waited for it are due at once. */
    void remove(ParkedEvent parked) throws SQLException {
        try (var connection = database.getConnection()) {
            delete(connection, parked);
            execute(connection, RELEASE, parked.consumer(), parked.key());
            try (var update = connection.prepareStatement(
                    "UPDATE parked_event SET next_attempt_at = ? WHERE consumer = ? AND key = ? AND reason = 'GAP'")) {
                setTime(update, 1, clock.instant());
                update.setString(2, parked.consumer());
                update.setString(3, parked.key());
                update.executeUpdate();
            }
        }
    }

    /** Schedules the next retry after one that failed. After the last one, a copy becomes a dead letter. */
    void postpone(ParkedEvent parked, DataRejectedException failure) throws SQLException {
        var reason = UnprocessableEventException.reason(failure);
        var attempts = parked.attempts() + 1;
        var next = switch (reason) {
            case UNREADABLE, NEWER_SCHEMA -> null;
            case FAILED, GAP, BEHIND ->
                attempts < retryDelays.size() ? clock.instant().plus(retryDelays.get(attempts)) : null;
        };
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE parked_event SET attempts = ?, next_attempt_at = ?, reason = ?, detail = ?
                        WHERE seq = ? AND attempts = ?
                        RETURNING
                        """ + ParkedEvent.COLUMNS)) {
            update.setInt(1, attempts);
            setTime(update, 2, next);
            update.setString(3, reason.name());
            update.setString(4, StorableText.of(failure.getMessage()));
            update.setLong(5, parked.seq());
            update.setInt(6, parked.attempts());
            publishUnlessRetried(events(update));
            execute(connection, RELEASE, parked.consumer(), parked.key()); // when it has turned out to be a gap
        }
    }

    /** Lets an event wait that could not be tried, which does not count as a retry. */
    void defer(ParkedEvent parked) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("UPDATE parked_event SET next_attempt_at = ? WHERE seq = ?")) {
            setTime(update, 1, clock.instant().plus(retryDelays.getFirst()));
            update.setLong(2, parked.seq());
            update.executeUpdate();
        }
    }

    /**
     * A page of parked events in the order in which they were parked, without payloads and headers: a page of
     * large ones would not fit in memory.
     */
    List<ParkedEvent> page(String consumer, String key, long after, int limit) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT " + ParkedEvent.COLUMNS_OF_A_LIST + """
                        FROM parked_event
                        WHERE (?::text IS NULL OR consumer = ?) AND (?::text IS NULL OR key = ?) AND seq > ?
                        ORDER BY seq LIMIT ?
                        """)) {
            select.setString(1, consumer);
            select.setString(2, consumer);
            select.setString(3, key);
            select.setString(4, key);
            select.setLong(5, after);
            select.setInt(6, limit);
            return events(select);
        }
    }

    Optional<ParkedEvent> find(String consumer, UUID eventId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT " + ParkedEvent.COLUMNS + " FROM parked_event WHERE consumer = ? AND event_id = ?")) {
            select.setString(1, consumer);
            select.setObject(2, eventId);
            return events(select).stream().findFirst();
        }
    }

    /**
     * Makes an event, and in order all that is parked of its key, due at once, with all delays but the first
     * ahead. An event behind a gap then takes effect without the missing ones, for which its own retries
     * would have waited.
     */
    void redrive(ParkedEvent parked, String operator, String why) throws SQLException {
        audit.add(parked, "REDRIVE", operator, why);
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE parked_event
                        SET attempts = 0, next_attempt_at = ?,
                            gap_accepted = gap_accepted OR (seq = ? AND reason = 'GAP')
                        WHERE consumer = ? AND (seq = ? OR key = ?)
                        """)) {
            setTime(update, 1, clock.instant());
            update.setLong(2, parked.seq());
            update.setString(3, parked.consumer());
            update.setLong(4, parked.seq());
            update.setString(5, parked.key());
            update.executeUpdate();
        }
    }

    /**
     * Deletes an event; what is parked behind it takes effect without it. The next version of its source, if
     * it is delivered only later, waits as behind any gap.
     */
    void discard(ParkedEvent parked, String operator, String why) throws SQLException {
        audit.add(parked, "DISCARD", operator, why);
        try (var connection = database.getConnection()) {
            try (var update = connection.prepareStatement("""
                    UPDATE parked_event next SET gap_accepted = true, next_attempt_at = ?
                    FROM parked_event discarded
                    WHERE discarded.seq = ? AND next.consumer = discarded.consumer AND next.key = discarded.key
                      AND next.source = discarded.source AND next.version - 1 = discarded.version
                    """)) {
                setTime(update, 1, clock.instant());
                update.setLong(2, parked.seq());
                update.executeUpdate();
            }
            delete(connection, parked);
            execute(connection, RELEASE, parked.consumer(), parked.key());
        }
    }

    /** Deletes all that is parked of a key, without an entry in the audit. */
    void erase(String consumer, String key) throws SQLException {
        try (var connection = database.getConnection();
                var delete = connection.prepareStatement("DELETE FROM parked_event WHERE consumer = ? AND key = ?")) {
            delete.setString(1, consumer);
            delete.setString(2, key);
            delete.executeUpdate();
        }
    }

    /** The consumer groups that have parked any. */
    Set<String> groups() throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT DISTINCT consumer FROM parked_event");
                var rows = select.executeQuery()) {
            var groups = new HashSet<String>();
            while (rows.next()) {
                groups.add(rows.getString(1));
            }
            return groups;
        }
    }

    private static List<ParkedEvent> events(PreparedStatement statement) throws SQLException {
        var events = new ArrayList<ParkedEvent>();
        try (var rows = statement.executeQuery()) {
            while (rows.next()) {
                events.add(ParkedEvent.of(rows));
            }
        }
        return events;
    }

    private static void delete(Connection connection, ParkedEvent parked) throws SQLException {
        try (var delete = connection.prepareStatement("DELETE FROM parked_event WHERE seq = ?")) {
            delete.setLong(1, parked.seq());
            delete.executeUpdate();
        }
    }

    private static void setTime(PreparedStatement statement, int index, Instant time) throws SQLException {
        statement.setObject(index, time == null ? null : OffsetDateTime.ofInstant(time, ZoneOffset.UTC));
    }
}
