package dev.orderly.platform.connect;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.process.HealthProbe;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.StreamSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one relay per database registered and running: every second it compares the actual with the desired
 * state. A connector is registered when its slot exists, which is before its service can accept a write (the
 * slot is the last step of a migration); one that failed is restarted, since Connect itself never
 * does that; one that is stopped or paused is resumed, unless a {@link RelayPauseLock} is held. Only changes
 * are logged.
 *
 * <p>Connect keeps how far a connector has read, in Kafka, and that outlives the server it belongs to. Behind
 * a position that its log has not reached a server sends nothing, and the connector looks healthy. So a
 * connector's positions are filed under the {@linkplain ServiceDatabases#cluster server and timeline} (in
 * {@code topic.prefix}): on another one it has none, and begins where its slot does. A copy of the files that
 * was put back has the same name, and is known by a log that ends before the position.
 */
public final class ConnectorReconciler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectorReconciler.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(60);
    private static final JsonMapper JSON = new JsonMapper();

    /** Of the connector's settings: its stored positions are filed under it. */
    private static final String PREFIX = "topic.prefix";

    private static final Set<String> PAUSED = Set.of("STOPPED", "PAUSED");

    /** Debezium's message when the slot begins behind its stored offset. */
    private static final String OFFSET_LOST = "no longer available on the server";

    private final Path template;
    private final URI connect;
    private final String authorization;
    private final ServiceDatabases postgres;
    private final List<String> databases;
    private final Path passwords;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, String> lastLogged = new HashMap<>();
    private final Map<String, Restarts> restarts = new HashMap<>();
    private final Set<String> positionsChecked = new HashSet<>();
    private volatile Set<String> running = Set.of();
    private Thread loop;

    /** How often a connector was restarted since it last ran, and when it may be again. */
    private record Restarts(int count, Instant next) {}

    /**
     * @param authorization see {@link ConnectWorker#authorization}
     * @param passwords the worker's directory of them, a file for each; a connector only refers to its own
     */
    public ConnectorReconciler(
            Path infra,
            URI connect,
            String authorization,
            ServiceDatabases postgres,
            List<String> databases,
            Path passwords) {
        this.template = infra.resolve("connect/outbox-connector.json");
        this.connect = connect;
        this.authorization = authorization;
        this.postgres = postgres;
        this.databases = databases;
        this.passwords = passwords;
    }

    public void start() {
        loop = Thread.ofVirtual().name("outbox-connectors").start(this::reconcileUntilClosed);
    }

    /** Whether the relay of every database runs. */
    public boolean allRun() {
        return running.containsAll(databases);
    }

    /** Returns when the relay of every database runs. */
    public void awaitRunning(Duration deadline) throws InterruptedException, TimeoutException {
        Instant end = Instant.now().plus(deadline);
        synchronized (this) {
            while (!allRun()) {
                long millis = Duration.between(Instant.now(), end).toMillis();
                if (millis <= 0) {
                    var missing = new HashSet<>(databases);
                    missing.removeAll(running);
                    throw new TimeoutException("the relays of these databases do not run: " + missing);
                }
                wait(millis);
            }
        }
    }

    private void reconcileUntilClosed() {
        try {
            do {
                reconcileWhilePossible();
            } while (!isClosedAfterPeriod());
        } catch (InterruptedException _) {
            LOG.info("no longer reconciling the connectors");
        }
    }

    /** In one session: to open one costs both sides more than all queries in it. */
    private void reconcileWhilePossible() throws InterruptedException {
        try (var session = postgres.connect(Secrets.SUPERUSER)) {
            String cluster = ServiceDatabases.cluster(session);
            positionsChecked.clear(); // the server is not put back while a session lasts
            do {
                reconcile(session, cluster);
                logOnChange("the connectors", "reachable");
            } while (!isClosedAfterPeriod());
        } catch (IOException | SQLException e) {
            // Connect or PostgreSQL is down or starting; the next period tries again.
            logOnChange("the connectors", "unreachable: " + e);
        }
    }

    private boolean isClosedAfterPeriod() throws InterruptedException {
        return closed.await(PERIOD.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void reconcile(Connection session, String cluster) throws IOException, SQLException, InterruptedException {
        for (String slot : ServiceDatabases.dropLostSlots(session)) {
            LOG.error("{} was further behind than the server keeps its log; its relay creates a new one", slot);
        }
        Set<String> slots = ServiceDatabases.slots(session);
        JsonNode registered = JSON.readTree(send("GET", "/connectors?expand=info&expand=status", null));
        var nowRunning = new HashSet<String>();
        for (String database : databases) {
            var connector = registered.path(database + "-outbox");
            if (reconcile(session, cluster, database, slots, connector)) {
                nowRunning.add(database);
            }
        }
        synchronized (this) {
            running = Set.copyOf(nowRunning);
            notifyAll();
        }
    }

    /** Returns whether it runs; a failure of one must not affect the others. */
    private boolean reconcile(
            Connection session, String cluster, String database, Set<String> slots, JsonNode connector)
            throws InterruptedException {
        try {
            // One that is registered runs with or without a slot: it must not with the settings of before.
            boolean registered = connector.has("info");
            boolean changed = (registered || slots.contains("outbox_" + database))
                    && register(database, configuration(database, cluster), connector);
            boolean runs = registered
                    && !changed
                    && !isAheadOfTheServer(session, cluster, database)
                    && keepRunning(database, connector.path("status"));
            logOnChange("reconciling " + database, "done");
            return runs;
        } catch (IOException | SQLException | CommandFailedException e) {
            logOnChange("reconciling " + database, "failed: " + e);
            return false;
        }
    }

    /** Returns whether there was anything to change. */
    private boolean register(String database, Map<String, String> desired, JsonNode connector)
            throws IOException, InterruptedException {
        var actual =
                JSON.convertValue(connector.path("info").path("config"), new TypeReference<Map<String, String>>() {});
        if (desired.equals(actual)) {
            return false;
        }
        send("PUT", path(database, "/config"), JSON.writeValueAsString(desired));
        if (actual != null && !desired.get(PREFIX).equals(actual.get(PREFIX))) {
            LOG.warn(
                    "the relay of {} goes on from its replication slot: it had read {}, this server is {}",
                    database,
                    actual.get(PREFIX),
                    desired.get(PREFIX));
        } else {
            LOG.info("registered the connector of {}", database);
        }
        return true;
    }

    /**
     * Checked once per session. If so, the position is dropped, the connector will begin where its slot does,
     * and the next period checks again.
     */
    private boolean isAheadOfTheServer(Connection session, String cluster, String database)
            throws IOException, InterruptedException, SQLException {
        if (positionsChecked.contains(database)) {
            return false;
        }
        var stored =
                JSON.readTree(send("GET", path(database, "/offsets"), null)).path("offsets");
        // Only now: what the connector read before is in the log by then.
        long end = ServiceDatabases.endOfLog(session);
        for (var position : stored) {
            if (position.path("partition").path("server").asText().endsWith(cluster)
                    && position.path("offset").path("lsn").asLong() > end) {
                LOG.error("the relay of {} had read more than this server ever wrote, which is older", database);
                startFromTheSlot(database);
                return true;
            }
        }
        positionsChecked.add(database);
        return false;
    }

    /** As Connect gives it back: the template with these names in it. */
    Map<String, String> configuration(String database, String cluster) {
        try {
            String text = Files.readString(template)
                    .replace("${database}", database)
                    .replace("${cluster}", cluster)
                    .replace("${postgres.host}", postgres.host())
                    .replace("${postgres.port}", String.valueOf(postgres.port()))
                    .replace("${relay.password}", reference(database + "_relay"))
                    .replace("${kafka.password}", reference(KafkaLogin.secretOfRelay(database)));
            var configuration = JSON.readValue(text, new TypeReference<Map<String, String>>() {});
            configuration.put("name", database + "-outbox");
            postgres.encryption().forEach((name, value) -> configuration.put("database." + name, value));
            return configuration;
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + template + ": " + e.getMessage(), e);
        }
    }

    private String reference(String secret) {
        return "${secrets:" + passwords + ":" + Secrets.variableOf(secret) + "}";
    }

    /** Returns whether connector and task run; restarts them if one failed, with backoff. */
    private boolean keepRunning(String database, JsonNode status)
            throws IOException, InterruptedException, SQLException {
        String state = status.path("connector").path("state").asText("not registered");
        var tasks = StreamSupport.stream(status.path("tasks").spliterator(), false)
                .map(task -> task.path("state").asText())
                .toList();
        logOnChange("the connector of " + database, state + ", tasks " + tasks);
        if (state.equals("FAILED") || tasks.contains("FAILED")) {
            restart(database, firstLine(status));
            return false;
        }
        if (PAUSED.contains(state) && !isPauseLocked()) {
            LOG.warn("resuming the connector of {}, which was left {}", database, state);
            send("PUT", path(database, "/resume"), "");
        }
        boolean runs = state.equals("RUNNING") && tasks.equals(List.of("RUNNING"));
        if (runs
                && restarts.containsKey(database)
                && Instant.now().isAfter(restarts.get(database).next().plus(MAX_BACKOFF))) {
            restarts.remove(database);
        }
        return runs;
    }

    private boolean isPauseLocked() throws SQLException {
        try (var session = postgres.connect(Secrets.SUPERUSER)) {
            return RelayPauseLock.isTaken(session);
        }
    }

    private void restart(String database, String why) throws IOException, InterruptedException {
        Restarts before = restarts.getOrDefault(database, new Restarts(0, Instant.MIN));
        if (Instant.now().isBefore(before.next())) {
            return;
        }
        if (why.contains(OFFSET_LOST)) {
            LOG.error("the replication slot of {} was lost; the auditor sends what it held back", database);
            startFromTheSlot(database);
        } else {
            LOG.warn("restarting the connector of {}, which failed: {}", database, why);
            send("POST", path(database, "/restart?includeTasks=true&onlyFailed=true"), "");
        }
        long seconds = Math.min(MAX_BACKOFF.toSeconds(), 2L << Math.min(before.count(), 5));
        restarts.put(database, new Restarts(before.count() + 1, Instant.now().plusSeconds(seconds)));
    }

    /**
     * Has the connector drop its stored position, and begin where its slot does. It may: what lies between is
     * still in the outbox, and the service's auditor publishes it again. If this fails halfway, the next
     * period starts over.
     */
    private void startFromTheSlot(String database) throws IOException, InterruptedException {
        send("PUT", path(database, "/stop"), "");
        Instant end = Instant.now().plus(TIMEOUT);
        while (!JSON.readTree(send("GET", path(database, "/status"), null))
                .path("connector")
                .path("state")
                .asText()
                .equals("STOPPED")) {
            if (Instant.now().isAfter(end)) {
                throw new IOException("the connector of " + database + " does not stop");
            }
            TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
        }
        send("DELETE", path(database, "/offsets"), null);
        send("PUT", path(database, "/resume"), "");
    }

    private static String path(String database, String action) {
        return "/connectors/" + database + "-outbox" + action;
    }

    private static String firstLine(JsonNode status) {
        return status.findValuesAsText("trace").stream()
                .flatMap(String::lines)
                .findFirst()
                .orElse("no reason given");
    }

    private String send(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(connect.resolve(path))
                .timeout(TIMEOUT)
                .header("Authorization", authorization)
                .header("Content-Type", "application/json")
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
        var response = HealthProbe.HTTP.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            // 409 while Connect rebalances: the next period tries again
            String why = response.body().lines().findFirst().orElse("");
            throw new IOException(method + " " + path + " answered " + response.statusCode() + ": " + why);
        }
        return response.body();
    }

    private void logOnChange(String subject, String state) {
        if (!state.equals(lastLogged.put(subject, state))) {
            LOG.info("{}: {}", subject, state);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        if (loop != null) {
            loop.interrupt();
        }
    }
}
