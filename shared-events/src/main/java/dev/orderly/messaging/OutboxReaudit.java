package dev.orderly.messaging;

import static java.util.stream.Collectors.toMap;

import dev.orderly.database.RetryingTransactions;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jboss.logging.Logger;

/**
 * Starts the audit again from the oldest row that the outbox still has, when what was once seen is no proof
 * any more: the brokers have lost records, or the database's clock went back. Discards what was seen, and
 * reads the topics again from that time on, beside the consumer group; until that is done no audit runs. An
 * instance that dies halfway is replaced by the next one that checks.
 */
@ApplicationScoped
class OutboxReaudit {

    private static final Logger LOG = Logger.getLogger(OutboxReaudit.class);

    private static final Duration POLL_TIMEOUT = Duration.ofSeconds(1);

    /** Between the clocks of the database, the relay and the brokers. */
    private static final Duration CLOCK_DIFFERENCE = Duration.ofHours(1);

    private static final String BEGIN = """
            UPDATE outbox_audit
            SET audited_until = least(now(), (SELECT min(recorded_at) FROM outbox)),
                seen = '{}', reread_by = ?, reread_at = now()
            WHERE reread_by IS NULL OR reread_at NOT BETWEEN now() - interval '60 s' AND now()
            RETURNING audited_until
            """;

    private static final String GO_ON = "UPDATE outbox_audit SET reread_at = now() WHERE reread_by = ?";

    private static final String END = "UPDATE outbox_audit SET reread_by = NULL, reread_at = NULL WHERE reread_by = ?";

    private final RetryingTransactions transactions;
    private final DataSource database;
    private final OutboxAudit audit;
    private final Map<String, Object> kafka;

    OutboxReaudit(
            RetryingTransactions transactions,
            DataSource database,
            OutboxAudit audit,
            @Identifier("default-kafka-broker") Map<String, Object> kafka) {
        this.transactions = transactions;
        this.database = database;
        this.audit = audit;
        this.kafka = kafka;
    }

    /**
     * Returns when the topics are read again, or at once when another instance is at it.
     *
     * @param confirmed whether there is a reason, by these ends of the partitions: those of the check may be
     *     from a broker that did not know yet that it leads no more
     * @param ownSeq the row of this service's outbox that a record with these headers comes from, or null
     */
    void run(
            String reason,
            Collection<TopicPartition> partitions,
            Predicate<Map<TopicPartition, Long>> confirmed,
            Function<Headers, Long> ownSeq) {
        var config = new HashMap<>(kafka);
        config.remove("group.id");
        config.remove("group.instance.id");
        config.put("client.id", "outbox-reaudit");
        config.put("enable.auto.commit", false);
        config.put("auto.offset.reset", "earliest");
        config.put("isolation.level", "read_committed");
        config.put("max.poll.records", 5_000);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            if (!confirmed.test(consumer.endOffsets(partitions))) {
                return;
            }
            var token = UUID.randomUUID();
            var since = transactions.commit(() -> begin(token));
            if (since != null) {
                LOG.errorf("%s: the outbox is audited again from %s", reason, since);
                read(consumer, List.copyOf(partitions), since, token, ownSeq);
            }
        }
    }

    /** The time from which on to audit; null when another instance is at it. */
    private OffsetDateTime begin(UUID token) throws SQLException {
        try (var connection = database.getConnection();
                var begin = connection.prepareStatement(BEGIN);
                var reset = connection.prepareStatement("DELETE FROM outbox_audit_position")) {
            begin.setObject(1, token);
            try (var row = begin.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                reset.executeUpdate();
                return row.getObject(1, OffsetDateTime.class);
            }
        }
    }

    private void read(
            KafkaConsumer<byte[], byte[]> consumer,
            List<TopicPartition> partitions,
            OffsetDateTime since,
            UUID token,
            Function<Headers, Long> ownSeq) {
        var ends = consumer.endOffsets(partitions);
        var time = since.toInstant().minus(CLOCK_DIFFERENCE).toEpochMilli();
        var starts = consumer.offsetsForTimes(partitions.stream().collect(toMap(partition -> partition, _ -> time)));
        consumer.assign(partitions);
        partitions.forEach(partition -> {
            var start = starts.get(partition);
            consumer.seek(partition, start == null ? ends.get(partition) : start.offset());
        });
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            var seqs = new ArrayList<Long>();
            for (var record : consumer.poll(POLL_TIMEOUT)) {
                var seq = ownSeq.apply(record.headers());
                if (seq != null) {
                    seqs.add(seq);
                }
            }
            if (!transactions.commit(() -> mark(seqs, token))) {
                return; // another instance took this one for dead
            }
        }
        transactions.commit(() -> {
            if (isMine(END, token)) {
                audit.advance(ends);
            }
            return null;
        });
    }

    private boolean mark(List<Long> seqs, UUID token) throws SQLException {
        if (!isMine(GO_ON, token)) {
            return false;
        }
        if (!seqs.isEmpty()) {
            audit.markSeen(seqs);
        }
        return true;
    }

    private boolean isMine(String sql, UUID token) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(sql)) {
            update.setObject(1, token);
            return update.executeUpdate() == 1;
        }
    }
}
