package dev.orderly.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.messaging.IntegrationTest;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.DriverManager;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class DatabaseMigrationTest {

    @Inject
    Flyway flyway;

    @Inject
    DataSource database;

    @ConfigProperty(name = "quarkus.datasource.jdbc.url")
    String url;

    @ConfigProperty(name = "quarkus.flyway.username")
    String owner;

    @ConfigProperty(name = "quarkus.flyway.password")
    String password;

    /** As if the newest migration had not run yet. */
    private static final String HIDE = """
            UPDATE flyway_messaging_history SET version = '0.' || version
            WHERE installed_rank = (SELECT max(installed_rank) FROM flyway_messaging_history)
            RETURNING regexp_replace(script, '.*/', '')
            """;

    private static final String SHOW =
            "UPDATE flyway_messaging_history SET version = substr(version, 3) WHERE version LIKE '0.%'";

    @Test
    void without_the_owners_password_a_service_waits_until_another_has_migrated() throws Exception {
        var migration = new DatabaseMigration(flyway, database, Optional.empty());
        try (var connection = DriverManager.getConnection(url, owner, password);
                var statement = connection.createStatement()) {
            try (var hidden = statement.executeQuery(HIDE)) {
                hidden.next();
                var script = hidden.getString(1);

                migration.start(null);

                assertThat(migration.isDone()).isFalse();
                assertThat(migration.call().getData())
                        .contains(Map.of(
                                "waiting",
                                "it lacks " + script
                                        + ", and without DB_OWNER_PASSWORD this service does not migrate it"));
            } finally {
                statement.execute(SHOW);
            }
            await().until(migration::isDone);
        } finally {
            migration.stop(null);
        }
    }
}
