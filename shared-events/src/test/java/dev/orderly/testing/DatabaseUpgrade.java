package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.database.SchemaMigrations;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.eclipse.microprofile.config.ConfigProvider;
import org.flywaydb.core.Flyway;

/** An installation of an earlier release, beside the database of the service under test. */
public final class DatabaseUpgrade {

    private static final String DUMP = "2026-11-29.sql";
    private static final String SUPERUSER = "postgres";

    /**
     * What the schema is made of, a line for each part. Without partitions by day, which depend on the day,
     * and without Flyway's own tables.
     */
    private static final String SCHEMA = """
            WITH tables AS (
                SELECT oid, relname, relacl
                FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
                    AND relname !~ '_\\d{8}$' AND relname NOT LIKE 'flyway%'
            )
            SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity)
            FROM tables JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
            UNION ALL
            SELECT concat_ws(' ', relname, pg_get_expr(adbin, adrelid))
            FROM tables JOIN pg_attrdef ON adrelid = tables.oid
            UNION ALL
            SELECT concat_ws(' ', relname, pg_get_constraintdef(c.oid))
            FROM tables JOIN pg_constraint c ON conrelid = tables.oid
            UNION ALL
            SELECT pg_get_indexdef(indexrelid) FROM tables JOIN pg_index ON indrelid = oid
            UNION ALL
            SELECT pg_get_triggerdef(t.oid) FROM tables JOIN pg_trigger t ON tgrelid = tables.oid AND NOT tgisinternal
            UNION ALL
            SELECT concat_ws(' ', relname, acl) FROM tables, unnest(relacl) acl
            UNION ALL
            SELECT concat_ws(' ', proname, acl)
            FROM pg_proc, unnest(proacl) acl WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            ORDER BY 1
            """;

    private DatabaseUpgrade() {}

    /**
     * Restores the dump of an earlier release, migrates it, and asserts that it has become what a new
     * installation has, that no row is missing, that the next start finds nothing to do, and that the release
     * of today would still start after a later one.
     *
     * @param flyway of the service under test
     */
    public static void assertMigrates(Flyway flyway) throws SQLException, IOException {
        var config = ConfigProvider.getConfig();
        UnaryOperator<String> setting = name -> config.getValue(name, String.class);
        var database = setting.apply("orderly.database");
        var earlier = database + "_earlier";
        var url = setting.apply("quarkus.datasource.jdbc.url");
        var owner = setting.apply("quarkus.flyway.username");
        var password = setting.apply("orderly.test.superuser-password");
        // pg_hba.conf lets the owner into its own database alone.
        var earlierUrl = url.replace("/" + database + "?", "/" + earlier + "?options=-c%20role%3D" + owner + "&");
        try (var superuser = DriverManager.getConnection(url, SUPERUSER, password)) {
            execute(superuser, "CREATE DATABASE %s OWNER %s TEMPLATE template0".formatted(earlier, owner));
            try (var there = DriverManager.getConnection(earlierUrl, SUPERUSER, password);
                    var here = DriverManager.getConnection(url, SUPERUSER, password)) {
                execute(there, read("/dev/orderly/testing/" + DUMP).replace("${database}", database));
                execute(there, read("/upgrade/" + DUMP));
                var rows = rows(there);
                var configuration = Flyway.configure()
                        .configuration(flyway.getConfiguration())
                        .dataSource(earlierUrl, SUPERUSER, password);

                SchemaMigrations.apply(configuration);
                var histories = histories(there);
                SchemaMigrations.apply(configuration);

                assertThat(histories(there)).isEqualTo(histories);
                migrateByLaterRelease(there);
                SchemaMigrations.apply(configuration);
                assertThat(strings(there, SCHEMA)).containsExactlyInAnyOrderElementsOf(strings(here, SCHEMA));
                rows.forEach((table, count) ->
                        assertThat(count(there, table)).as("rows of " + table).isGreaterThanOrEqualTo(count));
            } finally {
                execute(superuser, "DROP DATABASE %s WITH (FORCE)".formatted(earlier));
            }
        }
    }

    private static void migrateByLaterRelease(Connection connection) throws SQLException {
        for (var history : List.of("flyway_messaging_history", "flyway_schema_history")) {
            execute(connection, """
                    INSERT INTO %s (installed_rank, version, description, type, script, installed_by,
                                    execution_time, success)
                    VALUES (999, '999', 'later', 'SQL', 'db/later/V999__later.sql', 'any', 0, true)
                    """.formatted(history));
        }
    }

    private static List<String> histories(Connection connection) throws SQLException {
        return strings(connection, """
                SELECT concat_ws(' ', h, version, script) FROM (
                    SELECT 1 AS h, * FROM flyway_messaging_history UNION ALL SELECT 2, * FROM flyway_schema_history)
                ORDER BY h, installed_rank
                """);
    }

    private static Map<String, Long> rows(Connection connection) throws SQLException {
        var rows = new TreeMap<String, Long>();
        for (var table : strings(connection, """
                SELECT relname FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                    AND relname NOT LIKE 'flyway%'
                """)) {
            rows.put(table, count(connection, table));
        }
        assertThat(rows).as("each table has a row").doesNotContainValue(0L);
        return rows;
    }

    private static long count(Connection connection, String table) {
        try {
            return Long.parseLong(
                    strings(connection, "SELECT count(*) FROM " + table).getFirst());
        } catch (SQLException e) {
            throw new IllegalStateException("cannot count " + table, e);
        }
    }

    private static List<String> strings(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            var strings = new ArrayList<String>();
            while (result.next()) {
                strings.add(result.getString(1));
            }
            return strings;
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String read(String resource) throws IOException {
        try (var in = DatabaseUpgrade.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }
}
