package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.DataRejectedException;
import dev.orderly.database.DatabaseMigration;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.EventHeaders;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.common.annotation.Blocking;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Verifies the relay. Reads the topics like any consumer, marks by the {@code seq} header which rows of this
 * service's outbox have arrived, and publishes the missing ones again, under the same event id: those of a
 * lost replication slot, of a truncated topic, or of a mistake of an operator or of the relay. A consumer
 * that has read such an event after all detects the duplicate by its id.
 *
 * <p>A row counts as missing only when the relay has passed it: when a heartbeat ({@link OutboxHeartbeat})
 * has arrived that was recorded well after it. So nothing is published twice because the relay is down or
 * lags. Nor because this auditor lags: it may have read the heartbeat, but not yet, in another partition,
 * what came before it.
 */
@ApplicationScoped
class OutboxAuditor {

    private static final Logger LOG = Logger.getLogger(OutboxAuditor.class);

    private static final String CHANNEL = "outbox-audit";

    /** A minute of checks. */
    private static final int FAILURES_TO_LOG = 6;

    /** A heartbeat that claims to have taken longer was not emitted by a relay. */
    private static final Duration MAX_RELAY_TIME = Duration.ofDays(30);

    private final RetryingTransactions transactions;
    private final OutboxAudit audit;
    private final OutboxReaudit reaudit;
    private final KafkaClientService clients;
    private final MessageSpans spans;
    private final byte[] source;
    private final MeterRegistry metrics;
    private final Timer relayTime;
    private final Counter ignored;
    private Snapshot snapshot = new Snapshot(Map.of(), null);
    private int failures;
    private volatile long heartbeatAt = System.nanoTime();

    OutboxAuditor(
            RetryingTransactions transactions,
            OutboxAudit audit,
            OutboxReaudit reaudit,
            KafkaClientService clients,
            MessageSpans spans,
            @ConfigProperty(name = "quarkus.application.name") String source,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.audit = audit;
        this.reaudit = reaudit;
        this.clients = clients;
        this.spans = spans;
        this.source = source.getBytes(UTF_8);
        this.metrics = metrics;
        this.relayTime = Timer.builder("orderly.relay.time")
                .description("From the outbox to the topic, by the heartbeats")
                .publishPercentiles(0.5, 0.99)
                .register(metrics);
        this.ignored = Counter.builder("orderly.outbox.audit.ignored")
                .description("Records under the name of this service that its relay did not send")
                .register(metrics);
        // From the start on if none has arrived: a relay that is dead at the start must show as well.
        TimeGauge.builder(
                        "orderly.relay.heartbeat.age",
                        this,
                        TimeUnit.NANOSECONDS,
                        auditor -> System.nanoTime() - auditor.heartbeatAt)
                .description("How long ago a heartbeat of this service's relay has arrived at this instance")
                .register(metrics);
    }

    @Incoming(CHANNEL)
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        var seqs = new ArrayList<Long>();
        for (var record : records) {
            if (!isOwn(record.headers())) {
                continue;
            }
            var seq = seq(record.headers());
            if (seq == null) {
                ignored.increment();
                continue;
            }
            seqs.add(seq);
            if (record.topic().equals(OutboxHeartbeat.TOPIC)) {
                measure(record);
            } else {
                spans.sent(record);
            }
        }
        try {
            transactions.commit(() -> {
                if (!seqs.isEmpty()) {
                    audit.markSeen(seqs);
                }
                audit.advance(Offsets.after(records));
                return null;
            });
        } catch (DataRejectedException e) {
            // These rows are published again, and known as duplicates by their ids. The channel must go on.
            LOG.errorf(e, "%d rows of the outbox that have arrived cannot be marked", seqs.size());
            ignored.increment(seqs.size());
        }
    }

    private Long ownSeq(Headers headers) {
        return isOwn(headers) ? seq(headers) : null;
    }

    private boolean isOwn(Headers headers) {
        var from = headers.lastHeader(EventHeaders.SOURCE);
        return from != null && Arrays.equals(from.value(), source);
    }

    /** The row of the outbox that a record comes from, or null when it does not come from the relay. */
    private static Long seq(Headers headers) {
        var seq = headers.lastHeader(EventHeaders.SEQ);
        if (seq == null || seq.value() == null) {
            return null;
        }
        try {
            var row = Long.parseLong(new String(seq.value(), UTF_8));
            // The range of a row ends with the next one.
            return row > 0 && row < Long.MAX_VALUE ? row : null;
        } catch (NumberFormatException _) {
            return null;
        }
    }

    /** The timestamps of the heartbeats' topic are the broker's. */
    private void measure(ConsumerRecord<String, byte[]> heartbeat) {
        var emittedAt = OutboxHeartbeat.emittedAt(heartbeat.value());
        var took = emittedAt == null
                ? MAX_RELAY_TIME
                : Duration.between(emittedAt, Instant.ofEpochMilli(heartbeat.timestamp()));
        if (took.abs().compareTo(MAX_RELAY_TIME) < 0) { // no timer takes a duration of any length
            relayTime.record(took);
            heartbeatAt = System.nanoTime();
        } else {
            ignored.increment();
        }
    }

    /**
     * @param ends of all partitions, and so beyond all that was published before the heartbeat
     * @param heartbeat the newest that was marked before the ends were requested; null when there was none
     */
    private record Snapshot(Map<TopicPartition, Long> ends, OffsetDateTime heartbeat) {}

    @Scheduled(every = "10s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void auditWhenCaughtUp() {
        var state = transactions.commit(audit::state);
        var positions = transactions.commit(audit::positions);
        try {
            Offsets.of(clients, CHANNEL, positions).ifPresent(offsets -> compare(offsets, state));
            failures = 0;
        } catch (RuntimeException e) {
            // A broker that restarts is back at one of the next checks.
            if (++failures % FAILURES_TO_LOG == 0) {
                LOG.warnf(e, "the outbox has not been audited in %d checks", failures);
            }
        }
    }

    private void compare(Offsets offsets, OutboxAudit.State state) {
        var previous = snapshot;
        var truncated = offsets.truncated();
        if (state.doubt() == null && truncated.isEmpty()) {
            snapshot = new Snapshot(offsets.ends(), state.newestHeartbeat());
            if (offsets.passed(previous.ends)) {
                audit(previous.heartbeat);
            }
            return;
        }
        snapshot = new Snapshot(Map.of(), null);
        reaudit.run(
                state.doubt() == null ? truncated + " end before what was read of them" : state.doubt(),
                offsets.ends().keySet(),
                ends -> state.doubt() != null || offsets.isTruncated(ends),
                this::ownSeq);
    }

    /**
     * Publishes again what is missing.
     *
     * @param newestHeartbeat before which everything is read: a newer one may have overtaken, in its
     *     partition, the records of others
     */
    void audit(OffsetDateTime newestHeartbeat) {
        OutboxAudit.Step step;
        do {
            step = transactions.commit(() -> audit.step(newestHeartbeat));
            if (step.republished() > 0) {
                LOG.errorf(
                        "%d events of the outbox never reached their topic; they are published again",
                        step.republished());
            }
            metrics.counter("orderly.outbox.republished").increment(step.republished());
        } while (step.done());
    }
}
