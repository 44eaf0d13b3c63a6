package dev.orderly.clientlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import dev.orderly.clientlog.LogLineParser.ParseResult;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.database.Rows;
import dev.orderly.noncore.NonCoreWork;
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
import java.util.Map.Entry;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;

/**
 * Writes the lines of the topic to a table, exactly once: the transaction that inserts a batch also stores
 * the next offset of each partition, and a redelivered record is below it. Uses COPY, unlike an outbox: no
 * relay reads this table from the write-ahead log, where all rows of a COPY have one position.
 */
@ApplicationScoped
class LogWriter {

    private static final Logger LOG = Logger.getLogger(LogWriter.class);

    private static final String COPY =
            "COPY client_log (received_at, partition, \"offset\", client_id, at, level, message) FROM STDIN";

    private final RetryingTransactions transactions;
    private final DataSource database;
    private final LogLineParser parser;
    private final NonCoreWork nonCoreWork;
    private final MeterRegistry metrics;

    LogWriter(
            RetryingTransactions transactions,
            DataSource database,
            LogLineParser parser,
            NonCoreWork nonCoreWork,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.nonCoreWork = nonCoreWork;
        this.database = database;
        this.parser = parser;
        this.metrics = metrics;
    }

    /** @param receivedAt by the broker's clock */
    private record Row(int partition, long offset, Instant receivedAt, LogLine line) {

        String toCopyFormat() {
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
        nonCoreWork.awaitPermission();
        var rows = new ArrayList<Row>();
        for (var record : records) {
            switch (record.value() == null ? new ParseResult.Rejected("is empty") : parser.parse(record.value())) {
                case ParseResult.Parsed(var line) -> rows.add(row(record, line));
                case ParseResult.Rejected(var reason) -> skip("invalid", record.partition(), record.offset(), reason);
            }
        }
        transactions.commitBatch(
                rows,
                this::write,
                written -> metrics.counter("orderly.log.lines.written").increment(written),
                (row, failure) -> skip("failed", row.partition, row.offset, "cannot be stored: " + failure));
    }

    private static Row row(ConsumerRecord<String, byte[]> record, LogLine line) {
        return new Row(record.partition(), record.offset(), Instant.ofEpochMilli(record.timestamp()), line);
    }

    /**
     * An error: the only producer of the topic is {@link LogReceiver}, which publishes valid lines only.
     *
     * @param reason may quote the line, which must not begin a line of our own log
     */
    private void skip(String kind, int partition, long offset, String reason) {
        LOG.errorf("skipping line client-log-%d@%d, which %s", partition, offset, reason.replaceAll("\\p{Cntrl}", "?"));
        metrics.counter("orderly.log.lines.invalid", "reason", kind).increment();
    }

    private int write(List<Row> rows) throws SQLException {
        var nextOffsets = new TreeMap<Integer, Long>();
        rows.forEach(row -> nextOffsets.put(row.partition, row.offset + 1));
        try (var connection = database.getConnection()) {
            var stored = lockOffsets(connection, nextOffsets.keySet());
            var unwritten = rows.stream()
                    .filter(row -> row.offset() >= stored.get(row.partition()))
                    .toList();
            if (!unwritten.isEmpty()) {
                var data = unwritten.stream()
                        .map(Row::toCopyFormat)
                        .collect(joining())
                        .getBytes(UTF_8);
                connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY, new ByteArrayInputStream(data));
            }
            Rows.of(nextOffsets.entrySet())
                    .integer("partition", Entry::getKey)
                    .bigint("reached", Entry::getValue)
                    .update(database, """
                            UPDATE client_log_progress AS progress SET next_offset = greatest(next_offset, reached)
                            FROM :rows WHERE progress.partition = rows.partition
                            """);
            return unwritten.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // reading a byte array cannot fail
        }
    }

    /** Locked until the commit: another consumer of a partition, as in a rebalance, waits and then skips. */
    private static Map<Integer, Long> lockOffsets(Connection connection, Set<Integer> partitions) throws SQLException {
        var lock = Rows.of(partitions).integer("partition", partition -> partition);
        try (var statement = lock.prepare(connection, """
                INSERT INTO client_log_progress (partition, next_offset)
                SELECT partition, 0 FROM :rows ORDER BY partition
                ON CONFLICT (partition) DO UPDATE SET partition = excluded.partition
                RETURNING partition, next_offset
                """)) {
            var stored = new TreeMap<Integer, Long>();
            try (var progress = statement.executeQuery()) {
                while (progress.next()) {
                    stored.put(progress.getInt(1), progress.getLong(2));
                }
            }
            return stored;
        }
    }
}
