package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.events.EventHeaders;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
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
 * <p>A row counts as missing only when the relay has passed it: when a canary ({@link RelayCanary}) has arrived that was
 * recorded well after it. So a relay that is away, or behind, makes nothing be published twice.
 */
@ApplicationScoped
class OutboxAuditor {

    private static final Logger LOG = Logger.getLogger(OutboxAuditor.class);

    private static final String NOTE_SEEN = """
            UPDATE outbox_audit
            SET seen = seen + (SELECT range_agg(int8range(seq, seq, '[]')) FROM unnest(?::bigint[]) AS seq)
            """;

    // Everything recorded before the moment that ends an audit is settled by it, so it is forgotten, and what is
    // published
    // again is a row of its own, which the next audit looks after.
    private static final String AUDIT = """
            WITH audit AS (
                SELECT audited_until AS since, seen,
                       (SELECT max(canary.recorded_at) - ?::interval
                        FROM outbox canary
                        WHERE canary.topic = 'relay-canary' AND canary.recorded_at > audited_until
                          AND seen @> canary.seq) AS until
                FROM outbox_audit
                FOR UPDATE
            ), settled AS (
                UPDATE outbox_audit
                SET audited_until = audit.until,
                    seen = audit.seen - int8multirange(int8range(NULL,
                        (SELECT min(seq) FROM outbox WHERE recorded_at >= audit.until)))
                FROM audit
                WHERE audit.until > audit.since
            )
            INSERT INTO outbox (id, topic, key, type, source, version, schema, payload, traceparent, consumer, reason, origin)
            SELECT id, topic, key, type, source, version, schema, payload, traceparent, consumer, reason, origin
            FROM outbox, audit
            WHERE recorded_at >= audit.since AND recorded_at < audit.until
              AND topic <> 'relay-canary' AND NOT audit.seen @> seq
            ORDER BY seq
            """;

    private final Transactions transactions;
    private final DataSource database;
    private final String source;
    private final Duration grace;
    private final MeterRegistry metrics;
    private final Timer relayTime;

    OutboxAuditor(
            Transactions transactions,
            DataSource database,
            @ConfigProperty(name = "quarkus.application.name") String source,
            @ConfigProperty(name = "orderly.outbox.audit-grace") Duration grace,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.database = database;
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
                if (record.topic().equals(RelayCanary.TOPIC)) {
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

    /** Publishes again what is missing, and returns how many events those were. */
    @Scheduled(every = "10s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = Migration.class)
    void audit() {
        var missing = transactions.commit(() -> {
            try (var connection = database.getConnection();
                    var audit = connection.prepareStatement(AUDIT)) {
                audit.setString(1, grace.toString());
                return audit.executeUpdate();
            }
        });
        if (missing > 0) {
            LOG.errorf("%d events of the outbox never reached their topic; they are published again", missing);
        }
        metrics.counter("orderly.outbox.republished").increment(missing);
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
        var sung = RelayCanary.sungAt(canary.value());
        if (sung != null) {
            relayTime.record(Duration.between(sung, Instant.ofEpochMilli(canary.timestamp())));
        }
    }
}
