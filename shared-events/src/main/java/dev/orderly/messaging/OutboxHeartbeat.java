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
 * Gives the relay something to read even when nothing happens. The write-ahead log belongs to all databases of a server,
 * and the replication slot of one whose outbox is silent would hold all of it back, until the server gives the slot up
 * ({@code max_slot_wal_keep_size}) and with it the events behind it.
 */
@ApplicationScoped
class OutboxHeartbeat {

    private static final Logger LOG = Logger.getLogger(OutboxHeartbeat.class);

    static final String TOPIC = "relay-canary";

    private static final String INSERT = """
            INSERT INTO outbox (topic, key, type, source, version, schema, payload)
            VALUES ('relay-canary', ?, 'OutboxHeartbeat', ?, 1, 1, ?)
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

    @Scheduled(every = "5s", skipExecutionIf = DatabaseMigration.class)
    void sing() {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, source);
            insert.setString(2, source);
            insert.setString(3, EventJson.writeValue(new Song(clock.instant())));
            insert.executeUpdate();
        } catch (SQLException e) {
            LOG.warnf("no canary this time: %s", e.getMessage());
        }
    }

    /** When a canary was sung, or null when this is none of ours. */
    static Instant sungAt(byte[] value) {
        try {
            var song = EventJson.readValue(Song.class, value == null ? "null" : new String(value, UTF_8));
            return song == null ? null : song.at();
        } catch (UncheckedIOException _) {
            return null;
        }
    }

    /** What a canary says. */
    record Song(Instant at) {}
}
