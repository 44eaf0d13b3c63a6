package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.PlatformMain;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;

/**
 * What {@code ./orderly up} starts, as a child of ours, in a folder and on ports of its own. Only what any operator has is
 * used to look at it and to break it: its status file, its ports, its passwords, and signals.
 */
public class RunningPlatform implements AutoCloseable {

    public static final String TOPIC = "order-service";
    public static final List<String> DATABASES = List.of("orders", "inventory", "payments", "notifications");
    public static final List<String> SERVICES =
            List.of("order-service", "inventory-service", "payment-service", "notification-service");
    private static final String MAIL_API = "mail-api";
    private static final String GATEWAY = "gateway";
    public static final List<String> BROKERS = List.of("kafka-1", "kafka-2", "kafka-3");
    /** Who reads the topic: consumer group, and the service it belongs to. */
    public static final Map<String, String> GROUPS = Map.of(
            "inventory-consumer-group", "inventory-service",
            "payment-consumer-group", "payment-service",
            "order-consumer-group", "order-service",
            "order-view-consumer-group", "order-service",
            "notification-consumer-group", "notification-service");

    private static final Duration START = Duration.ofSeconds(300);
    private static final Duration STOP = Duration.ofSeconds(20);
    private static final int STARTS = 3;
    private static final int USUAL_POSTGRES_PORT = 15432;
    private static final JsonMapper JSON = new JsonMapper();

    private final Path checkout;
    private final Path data;
    private final Map<String, String> environment;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    /** By part; the same for as long as this exists. */
    private final Map<String, Integer> ports = new ConcurrentHashMap<>();

    private Process launcher;
    private Admin admin;

    /** A process of the platform; pid 0 while there is none. */
    public record Part(String name, String state, long pid, int restarts, int port) {
        public boolean ready() {
            return state.equals("ready") && pid != 0;
        }
    }

    /** @param environment what the services are told beyond the usual, by names that begin with ORDERLY_ */
    public RunningPlatform(Path checkout, Path data, Map<String, String> environment) {
        this.checkout = checkout;
        this.data = data;
        this.environment = environment;
    }

    public Path data() {
        return data;
    }

    public void start() throws InterruptedException {
        launch("--free-ports", "--fresh");
        parts().forEach(part -> ports.put(part.name(), part.port()));
        ports.put(MAIL_API, status().path("ports").path("mailApi").asInt());
        ports.put(GATEWAY, status().path("ports").path("gateway").asInt());
    }

    /** For a system that has no status file. */
    final void usePorts(ToIntFunction<String> port) {
        for (var parts : List.of(SERVICES, BROKERS, List.of("postgres", "connect", GATEWAY, MAIL_API))) {
            parts.forEach(part -> ports.put(part, port.applyAsInt(part)));
        }
    }

    /** As if the plug had been pulled, but for the disk's own cache: every process is killed at once; then all start again. */
    public void powerCut() throws InterruptedException {
        var pids = new ArrayList<Long>();
        int offset = status().path("ports").path("postgres").asInt() - USUAL_POSTGRES_PORT;
        launcher.destroyForcibly();
        parts().stream().map(Part::pid).filter(pid -> pid != 0).forEach(pid -> {
            pids.add(pid);
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        });
        launcher.waitFor();
        await(STOP, "the end of all processes", () -> pids.stream().noneMatch(RunningPlatform::runs));
        launch("--port-offset=" + offset);
    }

    private static boolean runs(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    /** More than once if need be: a machine that is busy may be too slow for the launcher's own deadlines. */
    private void launch(String... options) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                launchOnce(options);
                return;
            } catch (CommandFailedException e) {
                if (attempt == STARTS) {
                    throw e;
                }
            }
        }
    }

    private void launchOnce(String... options) throws InterruptedException {
        Path log = data.resolveSibling("up.log");
        try {
            var command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx96m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-Dorderly.checkout=" + checkout,
                    "-cp",
                    Checkout.classPath("platform"),
                    PlatformMain.class.getName(),
                    "up",
                    "--stop-on-eof",
                    "--data=" + data));
            command.addAll(List.of(options));
            Files.createDirectories(data.getParent());
            var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().putAll(environment);
            launcher = builder.start();
            await(START, "a start, see " + log, () -> !launcher.isAlive() || saysReady(log));
            if (!saysReady(log)) {
                throw new CommandFailedException("the platform did not start: "
                        + read(log).lines().reduce((_, last) -> last).orElse("it said nothing"));
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot start the platform in " + data + ": " + e, e);
        }
    }

    private static boolean saysReady(Path log) {
        return read(log).lines().anyMatch(line -> line.startsWith("ready"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException _) {
            return "";
        }
    }

    private JsonNode status() {
        try {
            return JSON.readTree(data.resolve("run/status.json").toFile());
        } catch (IOException e) {
            throw new CommandFailedException("cannot read the platform's status: " + e, e);
        }
    }

    public List<Part> parts() {
        return StreamSupport.stream(status().path("parts").spliterator(), false)
                .map(p -> new Part(
                        p.path("name").asText(),
                        p.path("state").asText(),
                        p.path("pid").asLong(),
                        p.path("restarts").asInt(),
                        p.path("port").asInt()))
                .toList();
    }

    /** Each part that is not ready, and what it is instead. */
    public List<String> brokenParts() throws InterruptedException {
        return parts().stream()
                .filter(part -> !part.ready())
                .map(part -> part.name() + " is " + part.state())
                .toList();
    }

    /** The parts that have written logs. */
    public List<String> logged() throws IOException {
        try (var logs = Files.list(data.resolve("log"))) {
            return logs.map(log -> log.getFileName().toString().replaceAll("\\.log(\\.old)?$", ""))
                    .distinct()
                    .toList();
        }
    }

    /** What a part has written since its log was started anew, and before. */
    public List<String> log(String part) throws IOException, InterruptedException {
        var lines = new ArrayList<String>();
        for (String suffix : List.of(".log.old", ".log")) {
            var log = data.resolve("log").resolve(part + suffix);
            if (Files.exists(log)) {
                lines.addAll(Files.readAllLines(log, ISO_8859_1)); // in which everything is text
            }
        }
        return lines;
    }

    /** One that a launcher has not come to yet is as good as down. */
    public Part part(String name) {
        return parts().stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseGet(() -> new Part(name, "not started", 0, 0, ports.get(name)));
    }

    /** Sends a signal to a process of a part, if it is still there. */
    public static void signal(String signal, long pid) throws InterruptedException, IOException {
        new ProcessBuilder("kill", "-" + signal, String.valueOf(pid))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    public URI url(String part, String path) {
        return URI.create("http://localhost:" + ports.get(part) + path);
    }

    public URI mailApi(String path) {
        return url(MAIL_API, path);
    }

    public String bootstrapServers() {
        return BROKERS.stream().map(broker -> "localhost:" + ports.get(broker)).collect(Collectors.joining(","));
    }

    public synchronized Admin admin() {
        if (admin == null) {
            admin = Admin.create(Map.of(
                    "bootstrap.servers", bootstrapServers(),
                    "client.id", "chaos",
                    "request.timeout.ms", "5000",
                    "default.api.timeout.ms", "15000"));
        }
        return admin;
    }

    String secret(String name) {
        var secrets = new Properties();
        try (var reader = Files.newBufferedReader(data.resolve("secrets.properties"))) {
            secrets.load(reader);
        } catch (IOException e) {
            throw new CommandFailedException("cannot read the platform's passwords: " + e, e);
        }
        return secrets.getProperty(name);
    }

    /** As superuser: a checker must see everything, and a fault may touch anything. */
    public Connection connect(String database) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", secret("postgres"));
        properties.setProperty("loginTimeout", "10");
        properties.setProperty("socketTimeout", "60");
        properties.setProperty("ApplicationName", "chaos");
        return DriverManager.getConnection(
                "jdbc:postgresql://localhost:%d/%s".formatted(ports.get("postgres"), database), properties);
    }

    /** What a service's second instance has to be told. */
    Map<String, String> environment(String service) throws IOException {
        var environment = new java.util.HashMap<>(this.environment);
        for (String line : Files.readAllLines(data.resolve("run").resolve(service + ".env"))) {
            environment.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        return environment;
    }

    Path infra() {
        return checkout.resolve("infra");
    }

    Path guard() {
        return infra().resolve("platform/guard.sh");
    }

    Path target(String service) {
        return checkout.resolve(service).resolve("target");
    }

    Path jar(String service) {
        return target(service).resolve("quarkus-app/quarkus-run.jar");
    }

    /** The body of the answer of a part's HTTP interface; empty when there is none, or it is not a success. */
    public Optional<String> ask(String method, URI url, String body) throws InterruptedException {
        return ask(HttpRequest.newBuilder(url), method, body);
    }

    /** The same of the payment gateway, as its merchant. */
    public Optional<String> askGateway(String method, String path, String body) throws InterruptedException {
        return ask(
                HttpRequest.newBuilder(url(GATEWAY, path))
                        .header("Authorization", "Bearer " + secret("gateway_api_key")),
                method,
                body);
    }

    private Optional<String> ask(HttpRequest.Builder asking, String method, String body) throws InterruptedException {
        try {
            var request = asking.timeout(Duration.ofSeconds(10))
                    .header("Content-Type", "application/json")
                    .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                    .build();
            var answer = http.send(request, BodyHandlers.ofString());
            return answer.statusCode() / 100 == 2 ? Optional.of(answer.body()) : Optional.empty();
        } catch (IOException _) {
            return Optional.empty(); // down or frozen, as it may well be in here
        }
    }

    public Optional<String> connector(String method, String path) throws InterruptedException {
        return ask(method, url("connect", "/connectors" + path), null);
    }

    /** Each relay that is not RUNNING with all of its tasks; and when Connect does not tell, that. */
    public List<String> brokenRelays() throws InterruptedException {
        var answer = connector("GET", "?expand=status");
        if (answer.isEmpty()) {
            return List.of("Connect does not answer");
        }
        try {
            var broken = new ArrayList<String>();
            for (var connector : JSON.readTree(answer.get())) {
                var status = connector.path("status");
                if (!status.path("connector").path("state").asText().equals("RUNNING")
                        || status.path("tasks").isEmpty()) {
                    broken.add(status.path("name").asText() + " does not run");
                }
                for (var task : status.path("tasks")) {
                    if (!task.path("state").asText().equals("RUNNING")) {
                        broken.add(status.path("name").asText() + " is "
                                + task.path("state").asText());
                    }
                }
            }
            return broken;
        } catch (IOException e) {
            return List.of("Connect answers nonsense: " + e.getMessage());
        }
    }

    /** What is waited for. */
    public interface Condition {
        boolean holds() throws InterruptedException;
    }

    public static void await(Duration atMost, String what, Condition condition) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                throw new CommandFailedException("waited " + atMost.toSeconds() + " s in vain for " + what);
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    @Override
    public void close() {
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
        if (launcher == null) {
            return;
        }
        try {
            launcher.getOutputStream().close();
            if (!launcher.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                launcher.destroyForcibly();
            }
        } catch (IOException | InterruptedException e) {
            launcher.destroyForcibly(); // its parts end with it
        }
    }
}
