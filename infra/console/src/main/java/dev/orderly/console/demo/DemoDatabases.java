package dev.orderly.console.demo;

import dev.orderly.console.config.ConsoleConfig;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.postgresql.ds.PGSimpleDataSource;

/** Rows of the services' databases, by roles that may read what a demo shows and nothing else. */
@ApplicationScoped
public class DemoDatabases {

    private static final Logger LOG = Logger.getLogger(DemoDatabases.class);

    /** In the order of an order's way through them. */
    public static final List<String> ALL = List.of("orders", "inventory", "payments", "notifications");

    private static final int TIMEOUT_SECONDS = 3;

    private final ConsoleConfig.Database config;
    /** Of each database one connection, kept while it works: a page asks every second. */
    private final Map<String, Connection> connections = new LinkedHashMap<>();

    DemoDatabases(ConsoleConfig config) {
        this.config = config.database();
    }

    /** A row as JSON has it: times in milliseconds since 1970. */
    public static Map<String, Object> row(ResultSet row) throws SQLException {
        var columns = new LinkedHashMap<String, Object>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
            var value = row.getObject(i);
            columns.put(
                    row.getMetaData().getColumnLabel(i),
                    switch (value) {
                        case null -> null;
                        case Timestamp time -> time.getTime();
                        case Number number -> number;
                        case Boolean truth -> truth;
                        default -> value.toString();
                    });
        }
        return columns;
    }

    /** Whether this platform lets them be read. */
    public boolean exist() {
        return password("orders").isPresent();
    }

    /**
     * The rows of a query. One at a time: a second page waits for a moment.
     *
     * @return empty when the database does not answer, or this is no demo
     */
    public synchronized Optional<List<Map<String, Object>>> query(String database, String sql, Object... parameters) {
        if (password(database).isEmpty()) {
            return Optional.empty();
        }
        try {
            var connection = connection(database);
            try (var statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setObject(
                            i + 1,
                            parameters[i] instanceof Object[] array
                                    ? connection.createArrayOf(array instanceof Long[] ? "bigint" : "uuid", array)
                                    : parameters[i]);
                }
                var rows = new ArrayList<Map<String, Object>>();
                try (var found = statement.executeQuery()) {
                    while (found.next()) {
                        rows.add(row(found));
                    }
                }
                return Optional.of(rows);
            }
        } catch (SQLException e) {
            LOG.debugf(e, "%s cannot be read now", database);
            close(connections.remove(database));
            return Optional.empty();
        }
    }

    private Connection connection(String database) throws SQLException {
        var open = connections.get(database);
        if (open == null) {
            open = open(database, database + "_console", password(database).orElseThrow());
            connections.put(database, open);
        }
        return open;
    }

    /** A connection that is the caller's to close. */
    Connection open(String database, String role, String password) throws SQLException {
        var source = new PGSimpleDataSource();
        source.setServerNames(new String[] {config.host()});
        source.setPortNumbers(new int[] {config.port()});
        source.setDatabaseName(database);
        source.setUser(role);
        source.setPassword(password);
        source.setConnectTimeout(TIMEOUT_SECONDS);
        source.setSocketTimeout(TIMEOUT_SECONDS);
        source.setApplicationName("console");
        config.sslMode().ifPresent(source::setSslmode);
        config.sslRootCert().ifPresent(source::setSslrootcert);
        return source.getConnection();
    }

    private static void close(Connection connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException _) {
                // broken already
            }
        }
    }

    private Optional<String> password(String database) {
        var passwords = config.passwords();
        return switch (database) {
            case "orders" -> passwords.orders();
            case "inventory" -> passwords.inventory();
            case "payments" -> passwords.payments();
            case "notifications" -> passwords.notifications();
            default -> Optional.empty();
        };
    }
}
