package dev.orderly.messaging;

import static java.util.stream.Collectors.joining;

import dev.orderly.database.Rows;
import dev.orderly.events.Topic;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.kafka.common.TopicPartition;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * How far the outbox has been compared with the topics. Rows recorded before {@code audited_until} have
 * arrived, and of the later ones those in {@code seen}; {@link OutboxAuditor} says when a row counts as
 * missing.
 */
@ApplicationScoped
class OutboxAudit {

    private static final int MAX_CONCURRENT_ROWS = 10_000;

    /** Without numbers that no row has yet: they are not from the relay, and would hide rows to come. */
    private static final String MARK_SEEN = """
            UPDATE outbox_audit
            SET seen = seen + coalesce((SELECT range_agg(int8range(seq, seq, '[]'))
                                        FROM unnest(?::bigint[]) AS seq
                                        WHERE seq BETWEEN 1 AND pg_sequence_last_value('outbox_seq_seq')), '{}')
            """;

    private static final String ADVANCE = """
            INSERT INTO outbox_audit_position AS earlier (:columns)
            SELECT :columns FROM :rows ORDER BY topic, partition
            ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset
            WHERE earlier.next_offset < excluded.next_offset
            """;

    /** Not to a heartbeat of the future: when the clock is right again, earlier rows will follow it. */
    private static final String STATE = """
            SELECT audited_until,
                   CASE WHEN audited_until > now() THEN 'the clock of the database went back'
                        WHEN reread_at NOT BETWEEN now() - interval '60 s' AND now()
                        THEN 'the last time was not finished'
                   END AS doubt,
                   (SELECT recorded_at
                    FROM outbox
                    WHERE topic = 'outbox-heartbeat' AND recorded_at > audited_until AND recorded_at <= now()
                        AND seen @> seq
                    ORDER BY recorded_at DESC LIMIT 1) AS newest_heartbeat
            FROM outbox_audit
            """;

    /**
     * In a statement of its own. A statement that has waited for a row evaluates its conditions again, and
     * PostgreSQL 18.6 crashes in that now and then, with all its sessions, if the statement reads partitioned
     * tables too (a bug in {@code perform_pruning_base_step}).
     */
    private static final String LOCK = "SELECT reread_by IS NOT NULL FROM outbox_audit FOR UPDATE";

    /**
     * From the end of the last step to the next heartbeat that has arrived, but no more than ten seconds of
     * rows. While a slot was lost no heartbeat arrived, and all rows of that time in one statement could
     * exceed the statement timeout.
     */
    private static final String NEXT_STEP = """
            SELECT audited_until AS since,
                   (SELECT least(heartbeat.recorded_at - grace.length,
                                 (SELECT recorded_at + interval '10 s'
                                  FROM outbox
                                  WHERE recorded_at >= audited_until
                                  ORDER BY recorded_at LIMIT 1))
                    FROM outbox heartbeat
                    WHERE heartbeat.topic = 'outbox-heartbeat'
                      AND heartbeat.recorded_at > audited_until + grace.length
                      AND heartbeat.recorded_at <= newest.heartbeat AND seen @> heartbeat.seq
                    ORDER BY heartbeat.recorded_at LIMIT 1) AS until
            FROM outbox_audit, (SELECT ?::interval) AS grace (length), (SELECT ?::timestamptz) AS newest (heartbeat)
            """;

    /**
     * Moves {@code audited_until} to the end of the step, and publishes again what of the step is not in
     * {@code seen}: as a new row, which a later step audits. The rows of a step are aggregated first and
     * compared as a whole, since a comparison row by row would unpack {@code seen} for each. The ends of the
     * step are parameters, since PostgreSQL chooses partitions and indexes by those, but not by the columns
     * of another table.
     *
     * <p>Removes from {@code seen} all below the lowest {@code seq} that is not audited. That one is among
     * the first {@value #MAX_CONCURRENT_ROWS} rows by time: a row that is recorded later can have a lower one
     * only if its transaction ran beside theirs, and that is more rows than all connections together write in
     * one transaction each.
     *
     * <p>On an erasable topic only the last event of a key is published again: there the newest record is all
     * that counts, and after an erasure the one before it would bring back what was erased.
     */
    private static final String AUDIT = """
            WITH settled AS (
                UPDATE outbox_audit
                SET audited_until = ?,
                    seen = seen - int8multirange(int8range(NULL,
                        (SELECT min(seq)
                         FROM (SELECT seq FROM outbox WHERE recorded_at >= ? ORDER BY recorded_at LIMIT %1$d))))
            ), written AS (
                SELECT range_agg(int8range(seq, seq, '[]')) AS seqs
                FROM outbox
                WHERE recorded_at >= ? AND recorded_at < ? AND topic <> 'outbox-heartbeat'
            ), published AS (
                INSERT INTO outbox
                    (id, topic, key, type, source, version, schema, payload, payload_bytes, content_type,
                    traceparent, consumer, reason, origin)
                SELECT id, topic, key, type, source, version, schema, payload, payload_bytes, content_type,
                    traceparent, consumer, reason, origin
                FROM outbox_audit, written, unnest(written.seqs - outbox_audit.seen) AS lost, outbox
                WHERE seq <@ lost AND recorded_at >= ? AND recorded_at < ?
                    AND NOT (topic IN (%2$s) AND EXISTS (
                        SELECT FROM outbox later
                        WHERE later.topic IN (%2$s) AND later.topic = outbox.topic AND later.key = outbox.key
                            AND later.version > outbox.version))
                ORDER BY seq
                RETURNING 1
            )
            SELECT count(*) FROM published
            """.formatted(OutboxAudit.MAX_CONCURRENT_ROWS, OutboxAudit.erasableTopics());

    private final DataSource database;
    private final Outbox outbox;
    private final Duration grace;

    OutboxAudit(
            DataSource database, Outbox outbox, @ConfigProperty(name = "orderly.outbox.audit-grace") Duration grace) {
        this.database = database;
        this.outbox = outbox;
        this.grace = grace;
    }

    /** As literals: the planner uses the index of these topics only if it can prove that it applies. */
    private static String erasableTopics() {
        return Arrays.stream(Topic.values())
                .filter(Topic::isErasable)
                .map(topic -> "'" + topic.topicName() + "'")
                .collect(joining(", "));
    }

    /** Records that these rows have arrived on their topics. */
    void markSeen(Collection<Long> seqs) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(MARK_SEEN)) {
            update.setObject(1, seqs.toArray(Long[]::new));
            update.executeUpdate();
        }
    }

    /** Records how far partitions are read; what was before must be marked. */
    void advance(Map<TopicPartition, Long> positions) throws SQLException {
        Rows.of(positions.entrySet())
                .text("topic", position -> position.getKey().topic())
                .integer("partition", position -> position.getKey().partition())
                .bigint("next_offset", Map.Entry::getValue)
                .update(database, ADVANCE);
    }

    /** How far partitions are read. */
    Map<TopicPartition, Long> positions() throws SQLException {
        try (var connection = database.getConnection();
                var select =
                        connection.prepareStatement("SELECT topic, partition, next_offset FROM outbox_audit_position");
                var rows = select.executeQuery()) {
            var positions = new HashMap<TopicPartition, Long>();
            while (rows.next()) {
                positions.put(new TopicPartition(rows.getString(1), rows.getInt(2)), rows.getLong(3));
            }
            return positions;
        }
    }

    /**
     * @param doubt why what is recorded here cannot be relied on; null when it can
     * @param newestHeartbeat when the newest that has arrived was recorded; null when none has since the last
     *     step
     */
    record State(OffsetDateTime auditedUntil, String doubt, OffsetDateTime newestHeartbeat) {}

    State state() throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(STATE);
                var row = select.executeQuery()) {
            row.next();
            return new State(
                    row.getObject("audited_until", OffsetDateTime.class),
                    row.getString("doubt"),
                    row.getObject("newest_heartbeat", OffsetDateTime.class));
        }
    }

    /**
     * @param done false when there is no heartbeat to audit to
     * @param republished how many events were missing
     */
    record Step(boolean done, long republished) {}

    /** Audits to the next heartbeat, but to none newer than the given one; not while topics are reread. */
    Step step(OffsetDateTime newestHeartbeat) throws SQLException {
        try (var connection = database.getConnection();
                var lock = connection.prepareStatement(LOCK);
                var nextStep = connection.prepareStatement(NEXT_STEP)) {
            if (isTrue(lock)) {
                return new Step(false, 0); // what is seen is not known yet
            }
            nextStep.setString(1, grace.toString());
            nextStep.setObject(2, newestHeartbeat);
            try (var step = nextStep.executeQuery()) {
                step.next();
                var since = step.getObject("since", OffsetDateTime.class);
                var until = step.getObject("until", OffsetDateTime.class);
                return until == null ? new Step(false, 0) : new Step(true, audit(connection, since, until));
            }
        }
    }

    private static boolean isTrue(PreparedStatement select) throws SQLException {
        try (var row = select.executeQuery()) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private long audit(Connection connection, OffsetDateTime since, OffsetDateTime until) throws SQLException {
        // Or the audit would miss an event that is being added, and publish the one before it after it.
        outbox.lockErasableTopics();
        try (var audit = connection.prepareStatement(AUDIT)) {
            var parameter = 0;
            for (var end : List.of(until, until, since, until, since, until)) {
                audit.setObject(++parameter, end);
            }
            try (var row = audit.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }
}
