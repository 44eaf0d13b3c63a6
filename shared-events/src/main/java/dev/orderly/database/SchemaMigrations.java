package dev.orderly.database;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.Location;
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
 *
 * <p>The launcher, which has no service on its class path, finds {@link #apply} by name in a service's jars.
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

    /** By default the application may write to all tables: it could name a migration that never ran. */
    private static final String PROTECT_HISTORY = """
            DO $$
            BEGIN
                PERFORM pg_advisory_xact_lock(hashtextextended('flyway_messaging_history', 0));
                IF has_table_privilege('%1$s_app', 'flyway_schema_history', 'UPDATE') THEN
                    REVOKE INSERT, UPDATE, DELETE ON flyway_messaging_history, flyway_schema_history FROM %1$s_app;
                END IF;
            END
            $$;
            """;

    private SchemaMigrations() {}

    /**
     * Applies what is missing. Safe to run in several instances at once; a migration that fails is rolled
     * back.
     *
     * @param configuration of both kinds, with its table for the service's own history, and the placeholder
     *     {@code database}
     * @throws FlywayException when the database is away, or does not fit the migrations
     */
    public static void apply(Configuration configuration) {
        execute(configuration.getDataSource(), SPLIT_HISTORY);
        shared(configuration).migrate();
        own(configuration).migrate();
        var database = configuration.getPlaceholders().get("database");
        execute(configuration.getDataSource(), PROTECT_HISTORY.formatted(database));
    }

    /**
     * The names of the scripts that the database has yet to get; it is only read.
     *
     * @throws FlywayException when the database is away
     */
    static List<String> missing(Configuration configuration) {
        return Stream.of(shared(configuration), own(configuration))
                .flatMap(flyway -> Stream.of(flyway.info().pending()))
                .map(migration -> Path.of(migration.getScript()).getFileName().toString())
                .toList();
    }

    private static Flyway shared(Configuration configuration) {
        return only(configuration, path -> path.startsWith(SHARED_FOLDER))
                .table(SHARED_HISTORY)
                .load();
    }

    private static Flyway own(Configuration configuration) {
        // The baseline, since the shared tables are there already.
        return only(configuration, path -> !path.startsWith(SHARED_FOLDER))
                .baselineOnMigrate(true)
                .baselineVersion(MigrationVersion.fromVersion("1"))
                .baselineDescription("shared tables")
                .load();
    }

    private static void execute(DataSource database, String sql) {
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new FlywayException("cannot change the history of migrations: " + e.getMessage(), e);
        }
    }

    private static FluentConfiguration only(Configuration configuration, Predicate<String> path) {
        var selected = Flyway.configure(configuration.getClassLoader())
                .configuration(configuration)
                .locations(Stream.of(configuration.getLocations())
                        .filter(location -> path.test(location.getRootPath() + "/"))
                        .toArray(Location[]::new))
                // Those of a later version: this one may be restarted during a rolling upgrade, or after it.
                .ignoreMigrationPatterns("*:future");
        var index = configuration.getResourceProvider();
        return index == null ? selected : selected.resourceProvider(new Selection(index, path));
    }

    /** Quarkus indexes the migrations when it builds; then the locations of a configuration do not count. */
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
