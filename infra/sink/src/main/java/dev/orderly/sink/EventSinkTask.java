package dev.orderly.sink;

import io.debezium.connector.jdbc.JdbcSinkConnectorTask;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Debezium's task for writing to a database, except for what becomes of a failure. There, any failure ends
 * the task, so one row that cannot be written stops all others, and a database that is away for longer than
 * a few attempts stops them until an operator starts the task again. Here, a row that the database rejects
 * goes to the dead letter topic, and everything else is tried again for as long as it takes: the consumer
 * keeps its partitions, and its position is behind what has been written.
 *
 * <p>A batch that fails has changed nothing, since it is one transaction. It is then written row by row, each
 * in a transaction of its own: what fails alone is the reason.
 */
public final class EventSinkTask extends SinkTask {
    private static final Logger LOG = LoggerFactory.getLogger(EventSinkTask.class);

    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(5);
    private static final int MAX_CAUSES = 20;

    /**
     * Classes of SQLSTATE in which the row itself is the reason, and no later attempt can succeed: data,
     * constraints, limits, and what a trigger raises. All others are of the database or the way to it.
     */
    private static final Set<String> OF_THE_ROW = Set.of("21", "22", "23", "44", "54", "P0");

    private Map<String, String> settings;
    private JdbcSinkConnectorTask writer; // null until the database was reached, and after each failure

    @Override
    public String version() {
        return new JdbcSinkConnectorTask().version();
    }

    /** Without the database, which may be away: it is reached with the first event. */
    @Override
    public void start(Map<String, String> connector) {
        settings = new HashMap<>(connector);
        settings.put("flush.max.retries", "0"); // tried again here, with a new connection
    }

    /** One that cannot be written, and why. */
    private record DeadLetter(SinkRecord event, Exception reason) {}

    @Override
    public void put(Collection<SinkRecord> events) {
        var rows = new ArrayList<SinkRecord>();
        var deadLetters = new ArrayList<DeadLetter>();
        for (var event : events) {
            try {
                rows.add(EventRow.of(event));
            } catch (DataException e) {
                deadLetters.add(new DeadLetter(event, e));
            }
        }
        try {
            write(rows);
        } catch (RowRejectedException e) {
            for (var row : rows) {
                writeAlone(row, deadLetters);
            }
        }
        // Only now: until the database has taken the others, all of them may come again and again.
        deadLetters.forEach(this::report);
    }

    private void writeAlone(SinkRecord row, List<DeadLetter> deadLetters) {
        try {
            write(List.of(row));
        } catch (RowRejectedException e) {
            deadLetters.add(new DeadLetter(row, e));
        }
    }

    /** Returns when they are committed. */
    private void write(List<SinkRecord> rows) throws RowRejectedException {
        if (rows.isEmpty()) {
            return;
        }
        try {
            if (writer == null) {
                var connecting = new JdbcSinkConnectorTask();
                connecting.initialize(context);
                connecting.start(settings);
                writer = connecting;
            }
            writer.put(rows);
            writer.put(List.of()); // which throws what the one before has failed with
        } catch (RuntimeException e) {
            disconnect();
            if (isOfTheRow(e)) {
                throw new RowRejectedException(e);
            }
            LOG.warn("not written, to be tried again in {} s: {}", RETRY_INTERVAL.toSeconds(), e.toString());
            context.timeout(RETRY_INTERVAL.toMillis());
            throw new RetriableException("the database cannot be written to", e);
        }
    }

    /** The dead letter is written before the position behind it is committed. */
    private void report(DeadLetter letter) {
        var event = letter.event;
        LOG.warn(
                "dead letter: {}-{} at {}: {}",
                event.topic(),
                event.kafkaPartition(),
                event.kafkaOffset(),
                letter.reason.getMessage());
        context.errantRecordReporter().report(event, letter.reason);
    }

    /** By the first SQLSTATE in the chain of causes; without any it is not. */
    static boolean isOfTheRow(Throwable failure) {
        return causes(failure)
                .filter(SQLException.class::isInstance)
                .map(cause -> ((SQLException) cause).getSQLState())
                .filter(Objects::nonNull)
                .limit(1)
                .anyMatch(state -> OF_THE_ROW.contains(state.substring(0, 2)));
    }

    /** From the outermost, up to a limit: they may form a cycle. */
    private static Stream<Throwable> causes(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).limit(MAX_CAUSES);
    }

    private void disconnect() {
        if (writer != null) {
            writer.stop();
            writer = null;
        }
    }

    @Override
    public void stop() {
        disconnect();
    }

    /** Its message is the database's. */
    private static final class RowRejectedException extends Exception {
        private static final long serialVersionUID = 1L;

        RowRejectedException(Throwable failure) {
            super(causes(failure).reduce(failure, (outer, cause) -> cause).getMessage(), failure);
        }
    }
}
