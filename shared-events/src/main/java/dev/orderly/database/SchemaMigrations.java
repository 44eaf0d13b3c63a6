package dev.orderly.database;

import java.sql.SQLException;
import java.util.Collection;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.core.api.ResourceProvider;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.resource.LoadableResource;

/**
 * The migrations of a service's database: those that all services share ({@code db/messaging}), then its own
 * ({@code db/migration}). Each kind has a history, and so version numbers, of its own. In a common history
 * the next shared migration would come before the service's newest, and Flyway would refuse every database
 * that exists.
 */
public final class SchemaMigrations {

    private static final String SHARED_FOLDER = "db/messaging/";
    private static final String SHARED_HISTORY = "flyway_messaging_history";

    /**
     * There was one history at first. Its shared migration becomes the first row of the shared history, and
     * a baseline of the service's, as in a new database.
     */
    private static final String SPLIT_HISTORY = """
            DO $$
            BEGIN
                PERFORM pg_advisory_xact_lock(hashtextextended('flyway_messaging_history', 0));
                IF to_regclass('flyway_schema_history') IS NULL
                    OR to_regclass('flyway_messaging_history') IS NOT NULL THEN
                    RETURN;
                END IF;
                CREATE TABLE flyway_messaging_history (LIKE flyway_schema_history INCLUDING ALL);
                INSERT INTO flyway_messaging_history
                SELECT * FROM flyway_schema_history WHERE version = '1' AND type = 'SQL';
                UPDATE flyway_schema_history
                SET type = 'BASELINE', description = 'shared tables', script = 'shared tables', checksum = NULL
                WHERE version = '1' AND type = 'SQL';
            END
            $$
            """;

    private SchemaMigrations() {}

    /**
     * Applies what is missing. Safe to run in several instances at once; a migration that fails is rolled
     * back.
     *
     * @param configuration of both kinds, with its table for the service's own history
     * @throws FlywayException when the database is away, or does not fit the migrations
     */
    public static void apply(Configuration configuration) {
        splitHistory(configuration.getDataSource());
        only(configuration, path -> path.startsWith(SHARED_FOLDER))
                .table(SHARED_HISTORY)
                .load()
                .migrate();
        // The baseline, since the shared tables are there already.
        only(configuration, path -> !path.startsWith(SHARED_FOLDER))
                .baselineOnMigrate(true)
                .baselineVersion(MigrationVersion.fromVersion("1"))
                .baselineDescription("shared tables")
                .load()
                .migrate();
    }

    private static void splitHistory(DataSource database) {
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(SPLIT_HISTORY);
        } catch (SQLException e) {
            throw new FlywayException("cannot look into the history of migrations: " + e.getMessage(), e);
        }
    }

    private static FluentConfiguration only(Configuration configuration, Predicate<String> path) {
        return Flyway.configure(configuration.getClassLoader())
                .configuration(configuration)
                // Those of a later version: this one may be restarted during a rolling upgrade, or after it.
                .ignoreMigrationPatterns("*:future")
                .resourceProvider(new Selection(configuration.getResourceProvider(), path));
    }

    /** Quarkus indexes the migrations when it builds; the locations of a configuration no longer count. */
    private record Selection(ResourceProvider all, Predicate<String> path) implements ResourceProvider {

        @Override
        public LoadableResource getResource(String name) {
            return all.getResource(name);
        }

        @Override
        public Collection<LoadableResource> getResources(String prefix, String[] suffixes) {
            return all.getResources(prefix, suffixes).stream()
                    .filter(resource -> path.test(resource.getAbsolutePath()))
                    .toList();
        }
    }
}
