package dev.orderly.console.demo;

import dev.orderly.console.config.Problem;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * More instances of services, on free ports, as {@code ./orderly env SERVICE} and its jar would start them.
 * Each under the platform's guard, so that it ends with this process, however this process ends.
 */
@ApplicationScoped
class Instances {

    private static final Logger LOG = Logger.getLogger(Instances.class);

    private static final int MAX_INSTANCES = 4;
    private static final int GRACE_TENTHS = 50;
    private static final Set<String> SERVICES =
            Set.of("order-service", "inventory-service", "payment-service", "notification-service");
    private static final Set<String> INHERITED = Set.of("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ");

    private final DemoPlatform platform;
    private final Map<String, Running> running = new LinkedHashMap<>();
    private int started;

    private record Running(String service, int port, Process guard) {}

    /** @param state up or down */
    record Instance(String id, String service, int port, String state) {}

    Instances(DemoPlatform platform) {
        this.platform = platform;
    }

    synchronized List<Instance> list() {
        platform.state(); // or there are none
        running.values().removeIf(instance -> !instance.guard.isAlive());
        return running.entrySet().stream()
                .map(e -> new Instance(e.getKey(), e.getValue().service, e.getValue().port, "up"))
                .toList();
    }

    /** @throws HttpProblem 404 without such a service, 409 when there are enough */
    synchronized Instance add(String service) {
        platform.state();
        if (!SERVICES.contains(service)) {
            throw Problem.of(404, "There is no service " + service + ".");
        }
        if (list().size() >= MAX_INSTANCES) {
            throw Problem.of(409, "There are " + MAX_INSTANCES + " more already; remove one first.");
        }
        // The launcher numbers those that it adds, and has run/<name>.pid and a log of each, too.
        var id = service + "-console-" + ++started;
        try {
            int port = freePort();
            var guard = start(service, id, port);
            running.put(id, new Running(service, port, guard));
            return new Instance(id, service, port, "up");
        } catch (IOException e) {
            LOG.errorf(e, "%s cannot be started", id);
            throw Problem.of(503, "It cannot be started; the console's log says why.");
        }
    }

    private Process start(String service, String id, int port) throws IOException {
        var checkout = platform.checkout();
        var infra = checkout.resolve("infra");
        var target = checkout.resolve(service).resolve("target");
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var command = new ArrayList<>(List.of(
                "bash",
                infra.resolve("platform/guard.sh").toString(),
                platform.state().resolve("run/" + id + ".pid").toString(),
                "TERM",
                String.valueOf(GRACE_TENTHS),
                java));
        for (var flags : List.of("common", "jdk25", "service")) {
            command.add("@" + infra.resolve("jvm/" + flags + ".options"));
        }
        command.add("-XX:TieredStopAtLevel=1");
        var cache = target.resolve("aot/" + service + "-" + Runtime.version() + ".aot");
        if (Files.exists(cache)) {
            command.addAll(List.of("-XX:AOTCache=" + cache, "-Xlog:aot*=off"));
        }
        command.addAll(
                List.of("-jar", target.resolve("quarkus-app/quarkus-run.jar").toString()));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        platform.state().resolve("log/" + id + ".log").toFile()));
        builder.environment().keySet().retainAll(INHERITED);
        builder.environment().putAll(platform.environment(service));
        builder.environment().put("HTTP_PORT", String.valueOf(port));
        builder.environment().put("MANAGEMENT_PORT", String.valueOf(freePort()));
        return builder.start();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Returns when it was asked to stop; it gives its partitions back as it does. */
    synchronized void remove(String id) throws IOException {
        var instance = Optional.ofNullable(running.remove(id))
                .orElseThrow(() -> Problem.of(404, "There is no instance " + id + "."));
        instance.guard.getOutputStream().close();
    }

    void stop(@Observes ShutdownEvent event) throws IOException {
        for (var instance : running.values()) {
            instance.guard.getOutputStream().close();
        }
    }
}
