package dev.orderly.clientlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import dev.orderly.clientlog.LogLineParser.Reading;
import dev.orderly.database.RetryingTransactions;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;

/**
 * Keeps what is on the topic, each line once however often it is delivered: a transaction holds the lines of a batch and, by
 * partition, the offset up to which lines are kept. By COPY, which an outbox must not be filled by and a log may: nobody reads
 * this table from the write-ahead log.
 */
@ApplicationScoped
class LogWriter {

    private static final Logger LOG = Logger.getLogger(LogWriter.class);

    private static final String COPY =
            "COPY client_log (received_at, partition, \"offset\", client_id, at, level, message) FROM STDIN";

    private final RetryingTransactions transactions;
    private final DataSource database;
    private final LogLineParser lines;
    private final MeterRegistry metrics;

    LogWriter(RetryingTransactions transactions, DataSource database, LogLineParser lines, MeterRegistry metrics) {
        this.transactions = transactions;
        this.database = database;
        this.lines = lines;
        this.metrics = metrics;
    }

    /** @param receivedAt by the broker's clock */
    private record Row(int partition, long offset, Instant receivedAt, LogLine line) {

        String copied() {
            return Stream.of(receivedAt, partition, offset, line.clientId(), line.at(), line.level(), line.message())
                    .map(value -> escaped(value.toString()))
                    .collect(joining("\t", "", "\n"));
        }

        private static String escaped(String value) {
            return value.replace("\\", "\\\\")
                    .replace("\t", "\\t")
                    .replace("\n", "\\n")
                    .replace("\r", "\\r");
        }
    }

    @Incoming("client-log")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        var rows = new ArrayList<Row>();
        var ends = new TreeMap<Integer, Long>();
        for (var record : records) {
            ends.put(record.partition(), record.offset() + 1);
            switch (record.value() == null ? new Reading.Unfit("is empty") : lines.read(record.value())) {
                case Reading.Line(var line) -> rows.add(row(record, line));
                case Reading.Unfit(var reason) -> skip(record, reason);
            }
        }
        metrics.counter("orderly.log.kept").increment(transactions.commit(() -> keep(rows, ends)));
    }

    private static Row row(ConsumerRecord<String, byte[]> record, LogLine line) {
        return new Row(record.partition(), record.offset(), Instant.ofEpochMilli(record.timestamp()), line);
    }

    /** Nobody but the intake writes to the topic, and it wrote nothing of the kind. */
    private void skip(ConsumerRecord<String, byte[]> record, String reason) {
        LOG.errorf("skipping %s-%d@%d, which %s", record.topic(), record.partition(), record.offset(), reason);
        metrics.counter("orderly.log.unreadable").increment();
    }

    private int keep(List<Row> rows, Map<Integer, Long> ends) throws SQLException {
        try (var connection = database.getConnection()) {
            var kept = lockProgress(connection, ends);
            var news = rows.stream()
                    .filter(row -> row.offset() >= kept.get(row.partition()))
                    .toList();
            if (!news.isEmpty()) {
                var copied = news.stream().map(Row::copied).collect(joining()).getBytes(UTF_8);
                connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY, new ByteArrayInputStream(copied));
            }
            advance(connection, ends);
            return news.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // of an array of bytes
        }
    }

    /** The offset of each partition up to which lines are kept. Whoever else has one of them waits here, then skips. */
    private static Map<Integer, Long> lockProgress(Connection connection, Map<Integer, Long> ends) throws SQLException {
        try (var lock = connection.prepareStatement("""
                INSERT INTO client_log_progress SELECT part, 0 FROM unnest(?::int[]) AS part ORDER BY part
                ON CONFLICT (partition) DO UPDATE SET partition = excluded.partition
                RETURNING partition, next_offset
                """)) {
            lock.setObject(1, ends.keySet().toArray(Integer[]::new));
            var kept = new TreeMap<Integer, Long>();
            try (var partitions = lock.executeQuery()) {
                while (partitions.next()) {
                    kept.put(partitions.getInt(1), partitions.getLong(2));
                }
            }
            return kept;
        }
    }

    private static void advance(Connection connection, Map<Integer, Long> ends) throws SQLException {
        try (var update = connection.prepareStatement("""
                UPDATE client_log_progress SET next_offset = greatest(next_offset, reached)
                FROM unnest(?::int[], ?::bigint[]) AS batch (part, reached) WHERE partition = part
                """)) {
            update.setObject(1, ends.keySet().toArray(Integer[]::new));
            update.setObject(2, ends.values().toArray(Long[]::new));
            update.executeUpdate();
        }
    }
}
