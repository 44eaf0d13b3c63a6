package dev.orderly.clientlog;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;

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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;

/**
 * Writes the lines of the topic to a table, exactly once: the transaction that inserts a batch also stores
 * the next offset of each partition; a record below it is looked up, since it is most likely redelivered.
 * Uses COPY, unlike an outbox: no relay reads this table from the write-ahead log, where all rows of a COPY
 * have one position.
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
        var reached = new TreeMap<Integer, Long>();
        rows.forEach(row -> reached.put(row.partition, row.offset + 1));
        try (var connection = database.getConnection()) {
            var nextOffsets = lockOffsets(connection, reached.keySet());
            var passed = rows.stream()
                    .filter(row -> row.offset < nextOffsets.get(row.partition))
                    .toList();
            var stored = stored(connection, passed);
            var unwritten = rows.stream().filter(row -> !stored.contains(row)).toList();
            if (!unwritten.isEmpty()) {
                var data = unwritten.stream()
                        .map(Row::toCopyFormat)
                        .collect(joining())
                        .getBytes(UTF_8);
                connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY, new ByteArrayInputStream(data));
            }
            var shortened = passed.stream()
                    .filter(row -> !stored.contains(row))
                    .map(Row::partition)
                    .collect(toCollection(TreeSet::new));
            shortened.forEach(partition -> LOG.warnf(
                    "client-log-%d had lines up to offset %d, and has others there now: it has lost its end",
                    partition, nextOffsets.get(partition) - 1));
            Rows.of(reached.entrySet())
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

    /**
     * Those that are in the table. A topic can lose its end, as in a power cut, and then has other lines at
     * the same offsets. The index by client and time finds them.
     */
    private static Set<Row> stored(Connection connection, List<Row> passed) throws SQLException {
        if (passed.isEmpty()) {
            return Set.of();
        }
        var lookup = Rows.of(passed)
                .text("client_id", row -> row.line.clientId())
                .timestamptz("at", row -> row.line.at())
                .timestamptz("received_at", Row::receivedAt)
                .integer("partition", Row::partition)
                .bigint("offset", Row::offset)
                .text("message", row -> row.line.message());
        try (var statement = lookup.prepare(connection, """
                SELECT rows.ordinality FROM :rows
                JOIN client_log USING (client_id, at, received_at, partition, "offset", message)
                """);
                var found = statement.executeQuery()) {
            var stored = new HashSet<Row>();
            while (found.next()) {
                stored.add(passed.get(found.getInt(1) - 1));
            }
            return stored;
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
            var nextOffsets = new TreeMap<Integer, Long>();
            try (var progress = statement.executeQuery()) {
                while (progress.next()) {
                    nextOffsets.put(progress.getInt(1), progress.getLong(2));
                }
            }
            return nextOffsets;
        }
    }
}
