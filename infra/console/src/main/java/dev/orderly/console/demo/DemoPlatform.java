package dev.orderly.console.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.console.config.Problem;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;

/** The processes of the platform that has started this one, by its status file. */
@ApplicationScoped
public class DemoPlatform {

    private final ConsoleConfig config;
    private final ObjectMapper json;
    /** What thaws a part, by process id; a part that was restarted is not paused any more. */
    private final Map<Long, Process> thaws = new ConcurrentHashMap<>();

    DemoPlatform(ConsoleConfig config, ObjectMapper json) {
        this.config = config;
        this.json = json;
    }

    /** @param state up, down, starting or paused @param pid 0 if there is no process */
    public record Part(String name, String kind, String state, String detail, long pid, int restarts, int port) {}

    public boolean isDemo() {
        return config.state().isPresent();
    }

    /** Where it is. @throws HttpProblem 404 where this is no demo: what is asked for does not exist */
    Path state() {
        return config.state().orElseThrow(DemoPlatform::noDemo);
    }

    Path checkout() {
        return config.checkout().orElseThrow(DemoPlatform::noDemo);
    }

    static HttpProblem noDemo() {
        return Problem.of(404, "This is there on a demo alone.");
    }

    /** Empty where there is no launcher, or its file cannot be read. */
    public List<Part> parts() {
        if (config.state().isEmpty()) {
            return List.of();
        }
        try {
            var parts = new ArrayList<Part>();
            var file = config.state().get().resolve("run/status.json");
            json.readTree(file.toFile()).path("parts").forEach(part -> parts.add(part(part)));
            return parts;
        } catch (IOException _) {
            return List.of(); // replaced or removed as the launcher stops
        }
    }

    private Part part(JsonNode part) {
        var name = part.path("name").asText();
        long pid = part.path("pid").asLong();
        boolean runs =
                pid != 0 && ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
        var written = part.path("state").asText().toLowerCase(Locale.ROOT);
        var state = !runs ? "down" : thaws.containsKey(pid) ? "paused" : written.equals("ready") ? "up" : "starting";
        return new Part(
                name,
                kind(name),
                state,
                written.replace('_', ' '),
                pid,
                part.path("restarts").asInt(),
                part.path("port").asInt());
    }

    /** Of a part, by its name. */
    public static String kind(String name) {
        return switch (name) {
            case "postgres", "connect", "console" -> name;
            case "simulators" -> "simulator";
            default -> name.startsWith("kafka-") ? "broker" : name.endsWith("-service") ? "service" : "other";
        };
    }

    Optional<Part> part(String name) {
        return parts().stream().filter(part -> part.name().equals(name)).findFirst();
    }

    void kill(Part part) {
        signal("-KILL", List.of(String.valueOf(part.pid())));
    }

    /**
     * As a machine that stands still would. A process of its own thaws it, since nobody else could when this
     * one is killed before.
     */
    void freeze(Part part, Duration pause) {
        var family = family(part);
        signal("-STOP", family);
        var command = new ArrayList<>(List.of("sh", "-c", "sleep \"$0\"; kill -CONT \"$@\""));
        command.add(String.valueOf(pause.toSeconds()));
        command.addAll(family);
        var thaw = start(command);
        forget(thaws.put(part.pid(), thaw));
        thaw.onExit().thenRun(() -> thaws.remove(part.pid(), thaw));
    }

    void thaw(Part part) {
        signal("-CONT", family(part));
        forget(thaws.remove(part.pid()));
    }

    /** Else it would cut the next pause of the same part short. */
    private static void forget(Process thaw) {
        if (thaw != null) {
            thaw.destroy();
        }
    }

    /** With PostgreSQL's own processes. */
    private static List<String> family(Part part) {
        var family = new ArrayList<>(List.of(String.valueOf(part.pid())));
        ProcessHandle.of(part.pid())
                .ifPresent(process -> process.descendants().forEach(child -> family.add(String.valueOf(child.pid()))));
        return family;
    }

    private static void signal(String signal, List<String> pids) {
        var command = new ArrayList<>(List.of("kill", signal));
        command.addAll(pids);
        try {
            start(command).waitFor();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Process start(List<String> command) {
        try {
            return new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(command.getFirst() + " cannot be run", e);
        }
    }

    /** The environment that a client of this name has, passwords included: {@code run/<name>.env}. */
    Map<String, String> environment(String name) {
        try {
            var environment = new HashMap<String, String>();
            for (var line : Files.readAllLines(state().resolve("run").resolve(name + ".env"))) {
                int separator = line.indexOf('=');
                environment.put(line.substring(0, separator), line.substring(separator + 1));
            }
            return environment;
        } catch (IOException e) {
            throw new UncheckedIOException("the platform has no environment for " + name, e);
        }
    }

    /** The consumer groups that services and Connect read in: without its offsets one would begin again. */
    public Set<String> ownGroups() {
        if (config.checkout().isEmpty()) {
            return Set.of();
        }
        try {
            var names = new HashSet<String>();
            json.readTree(checkout().resolve("infra/kafka/users.json").toFile())
                    .forEach(user -> user.path("groups").forEach(group -> names.add(group.asText())));
            names.removeIf(name -> name.endsWith("*")); // which stands for any reader's
            return names;
        } catch (IOException e) {
            throw new UncheckedIOException("the brokers' users cannot be read", e);
        }
    }

    /** Of the role that the relay of this database logs in as, where Connect reads it, too. */
    String relayPassword(String database) throws IOException {
        var file = database.toUpperCase(Locale.ROOT) + "_RELAY_PASSWORD";
        return Files.readString(state().resolve("run/connect-secrets").resolve(file));
    }

    /** Of a client of the brokers that logs in as the administrator. */
    Map<String, Object> adminSettings() {
        var admin = environment("admin");
        var settings = new HashMap<String, Object>();
        // Where they are encrypted, also where the certificates are: KAFKA_SSL_KEYSTORE_LOCATION and others.
        admin.forEach((name, value) -> {
            if (name.startsWith("KAFKA_SSL_")) {
                settings.put(
                        name.substring("KAFKA_".length())
                                .toLowerCase(Locale.ROOT)
                                .replace('_', '.'),
                        value);
            }
        });
        settings.put("bootstrap.servers", admin.get("KAFKA_BOOTSTRAP_SERVERS"));
        settings.put("security.protocol", admin.get("KAFKA_SECURITY_PROTOCOL"));
        settings.put("sasl.mechanism", "SCRAM-SHA-512");
        settings.put(
                "sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";"
                        .formatted(admin.get("KAFKA_USER"), admin.get("KAFKA_PASSWORD")));
        settings.put("client.id", "console-admin");
        return settings;
    }

    /**
     * A client of the brokers as their administrator, for the caller to close. Its calls end within 20 s: the
     * others take over sooner from a broker that has died.
     */
    Admin admin() {
        var settings = new HashMap<>(adminSettings());
        settings.putAll(Map.of("request.timeout.ms", 3_000, "default.api.timeout.ms", 20_000));
        return Admin.create(settings);
    }
}
