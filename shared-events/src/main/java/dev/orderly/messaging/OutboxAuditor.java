package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Topic;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Trusts the relay and checks it. Reads the topics as everybody else does, notes by their {@code seq} header which rows of
 * this service's outbox have arrived, and publishes again, under the same event id, what did not: what was in a lost
 * replication slot, was truncated away, or fell to a mistake of an operator or of the relay itself. Readers know an event
 * that was there after all by its id.
 *
 * <p>A row counts as missing only when the relay has passed it: when a canary ({@link OutboxHeartbeat}) has arrived that was
 * recorded well after it. So a relay that is away, or behind, makes nothing be published twice; nor does an auditor that is:
 * it may have read the canary and not yet, in another partition, what came before it.
 */
@ApplicationScoped
class OutboxAuditor {

    private static final Logger LOG = Logger.getLogger(OutboxAuditor.class);

    private static final int UNDER_WAY = 10_000;

    /** As literals, since there is an index of the rows of these topics alone. */
    private static final String ERASABLE_TOPICS = Arrays.stream(Topic.values())
            .filter(Topic::isErasable)
            .map(topic -> "'" + topic.topicName() + "'")
            .collect(Collectors.joining(", "));

    private static final String NOTE_SEEN = """
            UPDATE outbox_audit
            SET seen = seen + (SELECT range_agg(int8range(seq, seq, '[]')) FROM unnest(?::bigint[]) AS seq)
            """;

    /**
     * In a statement of its own: one that waits for a row is evaluated again for what the row has become meanwhile, and if it
     * reads partitioned tables too, PostgreSQL 18.6 dies of that now and then, and all sessions with it (a fault in
     * {@code perform_pruning_base_step}).
     */
    private static final String LOCK = "SELECT FROM outbox_audit FOR UPDATE";

    /**
     * One step: from where the last one ended to the next canary that has arrived, but not more than what was recorded within
     * ten seconds. As long as the slot was lost no canary has arrived, and all that it swallowed, in one statement, could take
     * longer than any statement may.
     */
    private static final String NEXT_STEP = """
            SELECT audited_until AS since,
                   (SELECT least(canary.recorded_at - grace.length,
                                 (SELECT recorded_at + interval '10 s'
                                  FROM outbox
                                  WHERE recorded_at >= audited_until
                                  ORDER BY recorded_at LIMIT 1))
                    FROM outbox canary
                    WHERE canary.topic = 'relay-canary' AND canary.recorded_at > audited_until + grace.length
                      AND canary.recorded_at <= newest.canary AND seen @> canary.seq
                    ORDER BY canary.recorded_at LIMIT 1) AS until
            FROM outbox_audit, (SELECT ?::interval) AS grace (length), (SELECT ?::timestamptz) AS newest (canary)
            """;

    private static final String NEWEST_CANARY = """
            SELECT (SELECT recorded_at
                    FROM outbox
                    WHERE topic = 'relay-canary' AND recorded_at > audited_until AND seen @> seq
                    ORDER BY recorded_at DESC LIMIT 1)
            FROM outbox_audit
            """;

    /**
     * Whatever there is to catch up on, a step is short. What it settles is forgotten; what it publishes again is a row of
     * its own, which a later step looks after. The rows of a step are compared with what was seen as a whole: asked row by
     * row, {@code seen} would be unpacked for each. Its ends are parameters, so that partitions and indexes are chosen by
     * them: by the columns of another table they would not be.
     *
     * <p>Forgotten is all below the lowest {@code seq} that is not settled yet. It is among the first rows by time: what is
     * recorded later can have a lower one only if its transaction ran beside theirs, and {@value #UNDER_WAY} rows are more
     * than all connections together write in one transaction each.
     *
     * <p>On an erasable topic only the last event of a key is published again: the newest record is all that counts there, and
     * after an erasure the one before would bring back what was erased.
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
                WHERE recorded_at >= ? AND recorded_at < ? AND topic <> 'relay-canary'
            ), published AS (
                INSERT INTO outbox (id, topic, key, type, source, version, schema, payload, traceparent, consumer, reason,
                    origin)
                SELECT id, topic, key, type, source, version, schema, payload, traceparent, consumer, reason, origin
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
            """.formatted(OutboxAuditor.UNDER_WAY, OutboxAuditor.ERASABLE_TOPICS);

    /** With the brokers, on the thread that polls. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final RetryingTransactions transactions;
    private final DataSource database;
    private final Outbox outbox;
    private final KafkaClientService clients;
    private final String source;
    private final Duration grace;
    private final MeterRegistry metrics;
    private final Timer relayTime;
    private Look lastLook = new Look(Map.of(), null);

    OutboxAuditor(
            RetryingTransactions transactions,
            DataSource database,
            Outbox outbox,
            KafkaClientService clients,
            @ConfigProperty(name = "quarkus.application.name") String source,
            @ConfigProperty(name = "orderly.outbox.audit-grace") Duration grace,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.database = database;
        this.outbox = outbox;
        this.clients = clients;
        this.source = source;
        this.grace = grace;
        this.metrics = metrics;
        this.relayTime = Timer.builder("orderly.relay.time")
                .description("From the outbox to the topic, by the canaries")
                .publishPercentiles(0.5, 0.99)
                .register(metrics);
    }

    @Incoming("outbox-audit")
    @Blocking
    void look(ConsumerRecords<String, byte[]> records) {
        var seen = new ArrayList<Long>();
        for (var record : records) {
            var seq = seqOfOurs(record.headers());
            if (seq != null) {
                seen.add(seq);
                if (record.topic().equals(OutboxHeartbeat.TOPIC)) {
                    time(record);
                }
            }
        }
        if (!seen.isEmpty()) {
            transactions.commit(() -> {
                try (var connection = database.getConnection();
                        var update = connection.prepareStatement(NOTE_SEEN)) {
                    update.setObject(1, seen.toArray(Long[]::new));
                    return update.executeUpdate();
                }
            });
        }
    }

    /**
     * @param ends of all partitions, and so beyond all that was published before the canary
     * @param canary the newest that had been noted before the ends were asked for; null when there was none
     */
    private record Look(Map<TopicPartition, Long> ends, OffsetDateTime canary) {}

    @Scheduled(every = "10s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void auditWhenNothingIsUnread() {
        var consumer = clients.getConsumer("outbox-audit");
        if (consumer == null) {
            return;
        }
        var before = lastLook;
        var canary = transactions.commit(this::newestCanary);
        Function<Consumer<Object, Object>, Boolean> look = polling -> hasNotedAll(polling, canary);
        if (consumer.runOnPollingThread(look)
                .onFailure()
                .recoverWithItem(false) // it is asked again
                .await()
                .indefinitely()) {
            audit(before.canary);
        }
    }

    private OffsetDateTime newestCanary() throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(NEWEST_CANARY);
                var row = select.executeQuery()) {
            row.next();
            return row.getObject(1, OffsetDateTime.class);
        }
    }

    /** Whether this and other instances have noted all that was on the topics at the last look; this is the next. */
    private boolean hasNotedAll(Consumer<Object, Object> polling, OffsetDateTime canary) {
        var partitions = polling.subscription().stream()
                .flatMap(topic -> polling.partitionsFor(topic, PATIENCE).stream())
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .collect(Collectors.toSet());
        var committed = polling.committed(partitions, PATIENCE);
        var noted = partitions.stream()
                .allMatch(partition -> lastLook.ends.containsKey(partition)
                        && (committed.get(partition) == null
                                        ? 0
                                        : committed.get(partition).offset())
                                >= lastLook.ends.get(partition));
        lastLook = new Look(polling.endOffsets(partitions, PATIENCE), canary);
        return noted;
    }

    /**
     * Publishes again what is missing, as far as that is known by what was noted.
     *
     * @param newestCanary before which nothing is unread: a newer one may have overtaken, in its partition, what is in others
     */
    void audit(OffsetDateTime newestCanary) {
        Step step;
        do {
            step = transactions.commit(() -> auditToTheNextCanary(newestCanary));
            if (step.published > 0) {
                LOG.errorf(
                        "%d events of the outbox never reached their topic; they are published again", step.published);
            }
            metrics.counter("orderly.outbox.republished").increment(step.published);
        } while (step.settled);
    }

    /** @param settled false when no further canary has arrived that counts */
    private record Step(boolean settled, long published) {}

    private Step auditToTheNextCanary(OffsetDateTime newestCanary) throws SQLException {
        try (var connection = database.getConnection();
                var lock = connection.prepareStatement(LOCK);
                var nextStep = connection.prepareStatement(NEXT_STEP);
                var audit = connection.prepareStatement(AUDIT)) {
            lock.execute();
            nextStep.setString(1, grace.toString());
            nextStep.setObject(2, newestCanary);
            try (var step = nextStep.executeQuery()) {
                step.next();
                var since = step.getObject("since", OffsetDateTime.class);
                var until = step.getObject("until", OffsetDateTime.class);
                if (until == null) {
                    return new Step(false, 0);
                }
                var parameter = 0;
                for (var end : List.of(until, until, since, until, since, until)) {
                    audit.setObject(++parameter, end);
                }
            }
            // Or an event that is being added would not be seen, and be followed by the one before it.
            outbox.lockErasableTopics();
            try (var row = audit.executeQuery()) {
                row.next();
                return new Step(true, row.getLong(1));
            }
        }
    }

    private Long seqOfOurs(Headers headers) {
        var from = headers.lastHeader(EventHeaders.SOURCE);
        var seq = headers.lastHeader(EventHeaders.SEQ);
        if (from == null || seq == null || !Arrays.equals(from.value(), source.getBytes(UTF_8))) {
            return null;
        }
        try {
            return Long.valueOf(new String(seq.value(), UTF_8));
        } catch (NumberFormatException _) {
            return null; // Not by our relay.
        }
    }

    /** The topic of the canaries has the time at which the broker took them. */
    private void time(ConsumerRecord<String, byte[]> canary) {
        var sung = OutboxHeartbeat.sungAt(canary.value());
        if (sung != null) {
            relayTime.record(Duration.between(sung, Instant.ofEpochMilli(canary.timestamp())));
        }
    }
}
