package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.events.EventJson;
import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Gives the relay something to read even in an idle service. The write-ahead log belongs to all databases of
 * a server, and the replication slot of an idle outbox would retain all of it, until the server drops the
 * slot ({@code max_slot_wal_keep_size}) and with it the events behind it.
 */
@ApplicationScoped
class OutboxHeartbeat {

    private static final Logger LOG = Logger.getLogger(OutboxHeartbeat.class);

    static final String TOPIC = "outbox-heartbeat";

    private static final String INSERT = """
            INSERT INTO outbox (topic, key, type, source, version, schema, payload)
            VALUES ('outbox-heartbeat', ?, 'OutboxHeartbeat', ?, 1, 1, ?)
            """;

    private final DataSource database;
    private final String source;
    private final Clock clock;

    OutboxHeartbeat(
            DataSource database, Clock clock, @ConfigProperty(name = "quarkus.application.name") String source) {
        this.database = database;
        this.source = source;
        this.clock = clock;
    }

    /** The payload. */
    record Heartbeat(Instant at) {}

    @Scheduled(every = "5s", skipExecutionIf = DatabaseMigration.class)
    void emit() {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, source);
            insert.setString(2, source);
            insert.setString(3, EventJson.writeValue(new Heartbeat(clock.instant())));
            insert.executeUpdate();
        } catch (SQLException e) {
            LOG.warnf("no heartbeat this time: %s", e.getMessage());
        }
    }

    /** When a heartbeat was emitted, or null when the value is not a heartbeat. */
    static Instant emittedAt(byte[] value) {
        try {
            var heartbeat = EventJson.readValue(Heartbeat.class, value == null ? "null" : new String(value, UTF_8));
            return heartbeat == null ? null : heartbeat.at();
        } catch (UncheckedIOException _) {
            return null;
        }
    }
}
