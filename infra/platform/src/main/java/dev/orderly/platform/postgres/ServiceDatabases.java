package dev.orderly.platform.postgres;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** The services' databases and roles, by {@code infra/postgres/database.sql}. */
public final class ServiceDatabases {
    // One locale everywhere: the libc's are not the same on every machine, and an index outlives the machine.
    private static final String CREATE = "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'"
            + " LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'";

    /** A machine that starts everything at once is slow to answer the first connection. */
    private static final int CONNECT_TIMEOUT_SECONDS = 10;

    /** To create a slot takes as long as the transactions that run in all databases. */
    private static final int OWNER_TIMEOUT_SECONDS = 120;

    private final Path file;
    private final String host;
    private final int port;
    private final Secrets secrets;

    public ServiceDatabases(Path infra, String host, int port, Secrets secrets) {
        this.file = infra.resolve("postgres/database.sql");
        this.host = host;
        this.port = port;
        this.secrets = secrets;
    }

    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    /** What an encrypted connection needs, by the names of libpq; empty if the server does not encrypt. */
    public Map<String, String> encryption() {
        return secrets.certificates().postgres();
    }

    /** Those with a password: the roles of these databases, the superuser, and who reads statistics. */
    public static List<String> roles(List<String> databases) {
        var roles = new ArrayList<>(List.of(Secrets.SUPERUSER, Secrets.MONITOR));
        databases.forEach(d -> roles.addAll(List.of(d + "_owner", d + "_app", d + "_relay")));
        return roles;
    }

    /** Those by which the console of a demo shows rows of these databases. */
    public static List<String> consoleRoles(List<String> databases) {
        return databases.stream().map(ServiceDatabases::consoleRole).toList();
    }

    public static String consoleRole(String database) {
        return database + "_console";
    }

    /** Makes these roles, by {@code infra/postgres/console.sql}; the databases must be migrated. */
    public void createConsoleRoles(List<String> databases) {
        var console = file.resolveSibling("console.sql");
        try {
            String sql = Files.readString(console);
            for (String database : databases) {
                try (var connection = connect(database);
                        var statement = connection.createStatement()) {
                    statement.execute("SET log_min_error_statement = 'panic'"); // the statement holds a password
                    statement.execute(sql.replace("${database}", database)
                            .replace("${console.password}", secrets.of(consoleRole(database))));
                }
            }
        } catch (IOException | SQLException e) {
            throw new CommandFailedException("cannot create the roles of " + console + ": " + e.getMessage(), e);
        }
    }

    /** Creates what is missing. */
    public void create(List<String> databases) {
        createMissing(databases);
        try {
            String sql = Files.readString(file);
            for (String database : databases) {
                try (var connection = connect(database);
                        var statement = connection.createStatement()) {
                    // A statement that fails is logged as it is, and these hold passwords.
                    statement.execute("SET log_min_error_statement = 'panic'");
                    statement.execute(sql.replace("${database}", database)
                            .replace("${owner.password}", secrets.of(database + "_owner"))
                            .replace("${app.password}", secrets.of(database + "_app"))
                            .replace("${relay.password}", secrets.of(database + "_relay"))
                            .replace("${monitor.password}", secrets.of(Secrets.MONITOR)));
                }
            }
        } catch (IOException | SQLException e) {
            throw new CommandFailedException("cannot create the databases by " + file + ": " + e.getMessage(), e);
        }
    }

    /** The schema registry's database, by {@code infra/postgres/registry.sql}: its role is named as it is. */
    public void createRegistry() {
        var registry = file.resolveSibling("registry.sql");
        try (var connection = connect(Secrets.SUPERUSER);
                var statement = connection.createStatement()) {
            statement.execute("SET log_min_error_statement = 'panic'"); // the statement holds a password
            statement.execute(Files.readString(registry).replace("${registry.password}", secrets.of(Secrets.REGISTRY)));
            var found = statement.executeQuery("SELECT FROM pg_database WHERE datname = 'registry'");
            if (!found.next()) {
                statement.execute(CREATE.formatted("registry") + " OWNER registry");
            }
        } catch (IOException | SQLException e) {
            throw new CommandFailedException("cannot create the database by " + registry + ": " + e.getMessage(), e);
        }
    }

    /** Creates those of the databases that do not exist, empty. */
    void createMissing(List<String> databases) {
        try (var connection = connect(Secrets.SUPERUSER);
                var statement = connection.createStatement()) {
            for (String database : databases) {
                var found = statement.executeQuery("SELECT FROM pg_database WHERE datname = '" + database + "'");
                if (!found.next()) {
                    statement.execute(CREATE.formatted(database));
                }
            }
        } catch (SQLException e) {
            throw new CommandFailedException("cannot create the databases " + databases + ": " + e.getMessage(), e);
        }
    }

    /**
     * Names the server's data and its timeline: other after initdb, an upgrade, or a promotion. Positions in
     * the log of one say nothing about another's.
     */
    public static String cluster(Connection session) throws SQLException {
        return value(session, """
                SELECT system_identifier || '-' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
                FROM pg_control_system()
                """);
    }

    /** Up to where the log has reached the disk; as a number, as Debezium has it. */
    public static long endOfLog(Connection session) throws SQLException {
        return Long.parseLong(value(session, "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')"));
    }

    private static String value(Connection session, String query) throws SQLException {
        try (var statement = session.createStatement();
                var row = statement.executeQuery(query)) {
            row.next();
            return row.getString(1);
        }
    }

    /** The existing replication slots; the one of an outbox is created before its service can write. */
    public static Set<String> slots(Connection session) throws SQLException {
        try (var statement = session.createStatement();
                var rows = statement.executeQuery("SELECT slot_name FROM pg_replication_slots")) {
            var slots = new HashSet<String>();
            while (rows.next()) {
                slots.add(rows.getString(1));
            }
            return slots;
        }
    }

    /**
     * Drops the slots that the server has invalidated, since its log is bounded ({@code
     * max_slot_wal_keep_size}). A relay would wait for such a slot forever, and creates a missing one.
     * Returns their names.
     */
    public static List<String> dropLostSlots(Connection session) throws SQLException {
        try (var statement = session.createStatement();
                var rows = statement.executeQuery("""
                        SELECT slot_name, pg_drop_replication_slot(slot_name)
                        FROM pg_replication_slots
                        WHERE wal_status = 'lost' AND NOT active AND slot_name LIKE 'outbox\\_%'
                        """)) {
            var dropped = new ArrayList<String>();
            while (rows.next()) {
                dropped.add(rows.getString(1));
            }
            return dropped;
        }
    }

    /** Connections as the owner of a database. */
    public DataSource ofOwner(String database) {
        var connections = new PGSimpleDataSource();
        connections.setServerNames(new String[] {host});
        connections.setPortNumbers(new int[] {port});
        connections.setDatabaseName(database);
        connections.setUser(database + "_owner");
        connections.setPassword(secrets.of(database + "_owner"));
        if (secrets.certificates().exist()) {
            connections.setSslMode(encryption().get("sslmode"));
            connections.setSslRootCert(encryption().get("sslrootcert"));
        }
        connections.setConnectTimeout(CONNECT_TIMEOUT_SECONDS);
        connections.setSocketTimeout(OWNER_TIMEOUT_SECONDS);
        connections.setApplicationName("migration");
        return connections;
    }

    /** A connection as superuser. */
    public Connection connect(String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", Secrets.SUPERUSER);
        properties.setProperty("password", secrets.of(Secrets.SUPERUSER));
        properties.putAll(encryption());
        properties.setProperty("loginTimeout", String.valueOf(CONNECT_TIMEOUT_SECONDS));
        properties.setProperty("socketTimeout", "30");
        properties.setProperty("ApplicationName", "launcher");
        return DriverManager.getConnection("jdbc:postgresql://%s:%d/%s".formatted(host, port, database), properties);
    }
}
