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
import java.util.Properties;
import java.util.Set;

/** The services' databases and roles of {@code infra/postgres/database.sql}, on whichever server. */
public final class ServiceDatabases {
    // One locale everywhere: the libc's are not the same on every machine, and an index outlives the machine.
    private static final String CREATE = "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'"
            + " LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'";

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

    /** The roles of these databases, and the superuser: everybody who has a password. */
    public static List<String> roles(List<String> databases) {
        var roles = new ArrayList<>(List.of(Secrets.SUPERUSER));
        databases.forEach(d -> roles.addAll(List.of(d + "_owner", d + "_app", d + "_relay")));
        return roles;
    }

    /** Makes what the data file says true of each database. */
    public void create(List<String> databases) {
        try {
            String sql = Files.readString(file);
            try (var connection = connect(Secrets.SUPERUSER);
                    var statement = connection.createStatement()) {
                for (String database : databases) {
                    var found = statement.executeQuery("SELECT FROM pg_database WHERE datname = '" + database + "'");
                    if (!found.next()) {
                        statement.execute(CREATE.formatted(database));
                    }
                }
            }
            for (String database : databases) {
                try (var connection = connect(database);
                        var statement = connection.createStatement()) {
                    // A statement that fails is logged as it is, and these hold passwords.
                    statement.execute("SET log_min_error_statement = 'panic'");
                    statement.execute(sql.replace("${database}", database)
                            .replace("${owner.password}", secrets.of(database + "_owner"))
                            .replace("${app.password}", secrets.of(database + "_app"))
                            .replace("${relay.password}", secrets.of(database + "_relay")));
                }
            }
        } catch (IOException | SQLException e) {
            throw new CommandFailedException("cannot make the databases by " + file + ": " + e.getMessage(), e);
        }
    }

    /** The replication slots that there are; a service's last migration makes the one of its outbox. */
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
     * Drops the slots that the server has given up, for it may keep only so much of its log ({@code max_slot_wal_keep_size}): a
     * relay waits for such a slot in vain, and makes one anew when there is none. Returns their names.
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

    /** A connection as superuser. */
    public Connection connect(String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", Secrets.SUPERUSER);
        properties.setProperty("password", secrets.of(Secrets.SUPERUSER));
        properties.setProperty("loginTimeout", "2");
        properties.setProperty("socketTimeout", "30");
        properties.setProperty("ApplicationName", "launcher");
        return DriverManager.getConnection("jdbc:postgresql://%s:%d/%s".formatted(host, port, database), properties);
    }
}
