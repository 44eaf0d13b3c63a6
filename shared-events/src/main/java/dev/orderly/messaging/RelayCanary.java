package dev.orderly.messaging;

import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Gives the relay something to read even when nothing happens. The write-ahead log belongs to all databases of a server,
 * and the replication slot of one whose outbox is silent would hold all of it back, until the server gives the slot up
 * ({@code max_slot_wal_keep_size}) and with it the events behind it.
 */
@ApplicationScoped
class RelayCanary {

    private static final String INSERT = """
            INSERT INTO outbox (topic, key, type, source, version, schema, payload)
            VALUES ('relay-canary', ?, 'RelayCanary', ?, 1, 1, '{}')
            """;

    private final DataSource database;
    private final String source;

    RelayCanary(DataSource database, @ConfigProperty(name = "quarkus.application.name") String source) {
        this.database = database;
        this.source = source;
    }

    @Scheduled(every = "10s")
    void sing() throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setString(1, source);
            insert.setString(2, source);
            insert.executeUpdate();
        }
    }
}
