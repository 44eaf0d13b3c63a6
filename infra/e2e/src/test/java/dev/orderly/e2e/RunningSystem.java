package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.restassured.RestAssured;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The whole system, once for all test classes: what {@code ./orderly up} starts, in a temporary folder, on ports of its
 * own. Its launcher stops it when the JVM of the tests ends, however that ends.
 */
class RunningSystem implements BeforeAllCallback {

    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final Duration STOP = Duration.ofSeconds(15);
    private static final JsonMapper JSON = new JsonMapper();

    private static final List<String> LAUNCHER = List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx96m",
            "-XX:+UseSerialGC",
            "-Dorderly.checkout=" + CHECKOUT,
            "-cp",
            CHECKOUT.resolve("infra/cli/target/cli.jar") + ":" + CHECKOUT.resolve("infra/cli/target/lib") + "/*",
            "dev.orderly.cli.Main");

    private static Launched launched;

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent(RunningSystem.class, _ -> launched = new Launched(), Launched.class);
    }

    static String url(String service) {
        return "http://localhost:" + part(service).path("port").asInt();
    }

    static String bootstrapServers() {
        return "localhost:" + part("kafka-1").path("port").asInt();
    }

    static void kill(String part) {
        signal("KILL", part);
    }

    /** Stops a part in its tracks; it keeps its memory and its connections, and answers nobody. */
    static void freeze(String part) {
        signal("STOP", part);
    }

    static void thaw(String part) {
        signal("CONT", part);
    }

    /** Waits until the supervisor has the part up again under a new process. */
    static void awaitRestart(String part, long formerPid) {
        await().atMost(Duration.ofSeconds(40)).until(() -> {
            var now = part(part);
            return now.path("pid").asLong() != formerPid
                    && now.path("state").asText().equals("ready");
        });
    }

    static long pid(String part) {
        return part(part).path("pid").asLong();
    }

    /** What a service publishes stays in its outbox until the relays are resumed, by closing what this returns. */
    static Connection pauseRelay(String database) throws SQLException {
        var hold = holdRelays();
        connector(database, "pause", "PAUSED");
        return hold;
    }

    /** As long as this session is open, a relay that is stopped or paused stays so. */
    static Connection holdRelays() throws SQLException {
        var session = connect("postgres", "postgres", secret("postgres"));
        try (var lock = session.createStatement()) {
            lock.execute("SELECT pg_advisory_lock_shared(hashtextextended('relays are paused', 0))");
        }
        return session;
    }

    /** Unlike a paused one, a stopped relay lets go of its replication slot. */
    static void stopRelay(String database) {
        RestAssured.given()
                .put(url("connect") + "/connectors/" + database + "-outbox/stop")
                .then()
                .statusCode(204);
    }

    /** What an operator should not do: all that the relay has not sent yet is gone from the log. */
    static void dropSlot(String database) {
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> {
            try (var connection = connect(database, database + "_relay", secret(database + "_relay"));
                    var drop = connection.createStatement()) {
                drop.execute("SELECT pg_drop_replication_slot('outbox_" + database + "')");
            }
        });
    }

    /** As if the relays had been away for longer than the server keeps its log for them. */
    static void giveUpSlots(String database) throws SQLException {
        try (var session = connect("postgres", "postgres", secret("postgres"));
                var statement = session.createStatement()) {
            statement.execute("ALTER SYSTEM SET max_slot_wal_keep_size = 0");
            try {
                statement.execute("SELECT pg_reload_conf()");
                await().atMost(Duration.ofSeconds(30)).until(() -> {
                    statement.execute("SELECT pg_logical_emit_message(false, 'test', '')");
                    statement.execute("SELECT pg_switch_wal()");
                    statement.execute("CHECKPOINT");
                    try (var alive =
                            statement.executeQuery("SELECT FROM pg_replication_slots WHERE slot_name = 'outbox_"
                                    + database + "' AND wal_status <> 'lost'")) {
                        return !alive.next();
                    }
                });
            } finally {
                statement.execute("ALTER SYSTEM RESET max_slot_wal_keep_size");
                statement.execute("SELECT pg_reload_conf()");
            }
        }
    }

    /** As an operator should not: by the role that the tables belong to. */
    static void change(String database, String sql) throws SQLException {
        try (var connection = connect(database, database + "_owner", secret(database + "_owner"));
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void connector(String database, String change, String state) {
        var connector = url("connect") + "/connectors/" + database + "-outbox";
        RestAssured.given().put(connector + "/" + change).then().statusCode(202);
        await().atMost(Duration.ofSeconds(40))
                .until(() -> state.equals(
                        RestAssured.given().get(connector + "/status").path("tasks[0].state")));
    }

    /** The single number that a query as the service's own role finds. */
    static long number(String database, String sql) {
        try (var connection = connect(database, database + "_app", secret(database + "_app"));
                var select = connection.createStatement();
                var row = select.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Connection connect(String database, String role, String password) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://localhost:" + part("postgres").path("port").asInt() + "/" + database,
                role,
                password);
    }

    private static String secret(String role) {
        var secrets = new Properties();
        try (var file = Files.newBufferedReader(launched.data.resolve("secrets.properties"))) {
            secrets.load(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return secrets.getProperty(role);
    }

    /** What a command of {@code ./orderly} prints; it must succeed. */
    static String orderly(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(LAUNCHER);
        command.addAll(List.of(arguments));
        command.add("--data=" + launched.data);
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(String.join(" ", arguments) + ":\n" + output);
        }
        return output;
    }

    private static void signal(String signal, String part) {
        try {
            var exit = new ProcessBuilder("kill", "-" + signal, String.valueOf(pid(part)))
                    .inheritIO()
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new IllegalStateException("no " + part + " to signal");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode part(String name) {
        try {
            for (var part : JSON.readTree(
                            launched.data.resolve("run/status.json").toFile())
                    .path("parts")) {
                if (part.path("name").asText().equals(name)) {
                    return part;
                }
            }
            throw new IllegalArgumentException("no part " + name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static final class Launched implements AutoCloseable {
        private final Path data;
        private final Process process;

        Launched() {
            try {
                data = Files.createTempDirectory("orderly-e2e-");
                var command = new ArrayList<>(LAUNCHER);
                command.addAll(List.of("up", "--free-ports", "--stop-on-eof", "--data=" + data));
                var builder = new ProcessBuilder(command).redirectErrorStream(true);
                // Or a test of the auditor would take minutes.
                builder.environment().put("ORDERLY_OUTBOX_AUDIT_GRACE", "15S");
                process = builder.start();
                var output = new StringBuilder();
                var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    System.out.println("  " + line);
                    output.append(line).append('\n');
                    if (line.startsWith("ready")) {
                        return;
                    }
                }
                throw new IllegalStateException("the system did not start:\n" + output);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() throws IOException {
            process.getOutputStream().close();
            if (!stoppedIn(STOP)) {
                process.destroyForcibly();
                throw new IllegalStateException("the system did not stop in " + STOP.toSeconds() + " s");
            }
            try (var files = Files.walk(data)) {
                for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }

        private boolean stoppedIn(Duration time) {
            try {
                return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
    }
}
