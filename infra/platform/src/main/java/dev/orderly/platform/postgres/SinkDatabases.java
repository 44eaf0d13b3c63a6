package dev.orderly.platform.postgres;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;

/** The databases of ERP and CRM, by {@code infra/postgres/sink.sql} and a file for each. */
public final class SinkDatabases {
    public static final List<String> NAMES = List.of("erp", "crm");

    private final Path files;
    private final ServiceDatabases server;
    private final Secrets secrets;

    public SinkDatabases(Path infra, ServiceDatabases server, Secrets secrets) {
        this.files = infra.resolve("postgres");
        this.server = server;
        this.secrets = secrets;
    }

    /** Those with a password. */
    public static List<String> roles() {
        return NAMES.stream().map(SinkDatabases::role).toList();
    }

    /** Of the sink of one database. */
    public static String role(String database) {
        return database + "_sink";
    }

    /** Creates what is missing. */
    public void create() {
        server.createMissing(NAMES);
        for (String database : NAMES) {
            try (var connection = server.connect(database);
                    var statement = connection.createStatement()) {
                statement.execute("SET log_min_error_statement = 'panic'"); // the statement holds a password
                statement.execute(Files.readString(files.resolve("sink.sql"))
                        .replace("${database}", database)
                        .replace("${sink.password}", secrets.of(role(database))));
                statement.execute(Files.readString(files.resolve(database + ".sql")));
            } catch (IOException | SQLException e) {
                throw new CommandFailedException("cannot create the database " + database + ": " + e.getMessage(), e);
            }
        }
    }
}
