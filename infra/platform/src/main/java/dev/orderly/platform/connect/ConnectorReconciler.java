package dev.orderly.platform.connect;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
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
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one relay per database registered and running: every second it compares the actual with the desired
 * state. A connector is registered when its slot exists, which is before its service can accept a write (the
 * slot is the last step of the service's migration); one that failed is restarted, since Connect itself never
 * does that; one that is stopped or paused is resumed, unless a {@link RelayPauseLock} is held. Only changes
 * are logged.
 */
public final class ConnectorReconciler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectorReconciler.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration MAX_BACKOFF = Duration.ofSeconds(60);
    private static final JsonMapper JSON = new JsonMapper();

    private static final Set<String> PAUSED = Set.of("STOPPED", "PAUSED");

    /** Debezium's message when the slot begins behind its stored offset. */
    private static final String OFFSET_LOST = "no longer available on the server";

    private final Path template;
    private final URI connect;
    private final ServiceDatabases postgres;
    private final List<String> databases;
    private final UnaryOperator<String> relayPassword;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, String> lastLogged = new HashMap<>();
    private final Map<String, Restarts> restarts = new HashMap<>();
    private volatile Set<String> running = Set.of();
    private Thread loop;

    /** How often a connector was restarted since it last ran, and when it may be again. */
    private record Restarts(int count, Instant next) {}

    /**
     * @param relayPassword by role, a reference that the worker resolves: never the password itself
     */
    public ConnectorReconciler(
            Path infra,
            URI connect,
            ServiceDatabases postgres,
            List<String> databases,
            UnaryOperator<String> relayPassword) {
        this.template = infra.resolve("connect/outbox-connector.json");
        this.connect = connect;
        this.postgres = postgres;
        this.databases = databases;
        this.relayPassword = relayPassword;
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
            do {
                reconcile(session);
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

    private void reconcile(Connection session) throws IOException, SQLException, InterruptedException {
        for (String slot : ServiceDatabases.dropLostSlots(session)) {
            LOG.error("{} was further behind than the server keeps its log; its relay creates a new one", slot);
        }
        Set<String> slots = ServiceDatabases.slots(session);
        JsonNode registered = JSON.readTree(send("GET", "/connectors?expand=info&expand=status", null));
        var nowRunning = new HashSet<String>();
        for (String database : databases) {
            if (reconcile(database, slots, registered.path(database + "-outbox"))) {
                nowRunning.add(database);
            }
        }
        synchronized (this) {
            running = Set.copyOf(nowRunning);
            notifyAll();
        }
    }

    /** Returns whether it runs; a failure of one must not affect the others. */
    private boolean reconcile(String database, Set<String> slots, JsonNode connector) throws InterruptedException {
        try {
            if (slots.contains("outbox_" + database)) {
                register(database, connector);
            }
            boolean runs = keepRunning(database, connector.path("status"));
            logOnChange("reconciling " + database, "done");
            return runs;
        } catch (IOException | SQLException | CommandFailedException e) {
            logOnChange("reconciling " + database, "failed: " + e);
            return false;
        }
    }

    private void register(String database, JsonNode connector) throws IOException, InterruptedException {
        var desired = new HashMap<>(configuration(database));
        desired.put("name", database + "-outbox"); // as Connect gives it back
        var actual = connector.path("info").path("config");
        if (!actual.isMissingNode()
                && JSON.convertValue(actual, new TypeReference<Map<String, String>>() {})
                        .equals(desired)) {
            return;
        }
        send("PUT", "/connectors/" + database + "-outbox/config", JSON.writeValueAsString(desired));
        LOG.info("registered the connector of {}", database);
    }

    /** The template with this database's names in it. */
    Map<String, String> configuration(String database) {
        try {
            String text = Files.readString(template)
                    .replace("${database}", database)
                    .replace("${postgres.host}", postgres.host())
                    .replace("${postgres.port}", String.valueOf(postgres.port()))
                    .replace("${relay.password}", relayPassword.apply(database + "_relay"));
            return JSON.readValue(text, new TypeReference<Map<String, String>>() {});
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + template + ": " + e.getMessage(), e);
        }
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
            send("PUT", "/connectors/" + database + "-outbox/resume", "");
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
            startFromTheSlot(database);
        } else {
            LOG.warn("restarting the connector of {}, which failed: {}", database, why);
            send("POST", "/connectors/" + database + "-outbox/restart?includeTasks=true&onlyFailed=true", "");
        }
        long seconds = Math.min(MAX_BACKOFF.toSeconds(), 2L << Math.min(before.count(), 5));
        restarts.put(database, new Restarts(before.count() + 1, Instant.now().plusSeconds(seconds)));
    }

    /**
     * The slot was lost, and its successor does not reach back to the connector's offset, so the connector
     * refuses to go on. It may: what lies between is still in the outbox, and the service's auditor publishes
     * it again. If this fails halfway, the next period starts over.
     */
    private void startFromTheSlot(String database) throws IOException, InterruptedException {
        LOG.error(
                "the replication slot of {} was lost; going on from the new one, the auditor sends the rest", database);
        var connector = "/connectors/" + database + "-outbox";
        send("PUT", connector + "/stop", "");
        Instant end = Instant.now().plus(TIMEOUT);
        while (!JSON.readTree(send("GET", connector + "/status", null))
                .path("connector")
                .path("state")
                .asText()
                .equals("STOPPED")) {
            if (Instant.now().isAfter(end)) {
                throw new IOException("the connector of " + database + " does not stop");
            }
            TimeUnit.MILLISECONDS.sleep(PERIOD.toMillis());
        }
        send("DELETE", connector + "/offsets", null);
        send("PUT", connector + "/resume", "");
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
