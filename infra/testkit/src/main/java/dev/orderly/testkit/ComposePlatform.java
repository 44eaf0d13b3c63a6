package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.ComposeSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.operations.AccessTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** What {@code docker-compose up} has started: observed, and neither started nor stopped from here. */
public final class ComposePlatform extends RunningPlatform {

    private static final Duration MAX_START = Duration.ofSeconds(180);
    private static final String MANAGEMENT_PORT = "9000";
    /** The others are those of database roles. */
    private static final Set<String> SIMULATORS_SECRETS =
            Set.of(Secrets.GATEWAY_API_KEY, Secrets.SMS_API_KEY, Secrets.IDENTITY_CLIENT_SECRET);

    private final Map<String, String> secrets = new ConcurrentHashMap<>();
    private String project;

    public ComposePlatform(Path data) {
        super(data, Map.of());
    }

    /** Also before {@link #awaitReady}. */
    @Override
    AccessTokens newTokens() {
        return new AccessTokens(ComposeSettings.port("identity"), secret(Secrets.IDENTITY_CLIENT_SECRET), " --compose");
    }

    /** The containers may only just have been started. */
    public void awaitReady() throws InterruptedException {
        usePorts(ComposeSettings::port);
        Await.until(
                MAX_START,
                "all services and relays to be ready; see docker-compose ps",
                () -> brokenParts().isEmpty() && brokenRelays().isEmpty());
    }

    /** Orders that others have placed could not be accounted for. */
    @Override
    public void start() throws InterruptedException {
        awaitReady();
        long orders = number("orders", "SELECT count(*) FROM orders");
        if (orders > 0) {
            throw new CommandFailedException(
                    "there are " + orders + " orders already: docker-compose down -v, then up again");
        }
    }

    @Override
    public List<String> brokenParts() throws InterruptedException {
        var broken = new ArrayList<String>();
        for (String service : SERVICES) {
            if (askManagement(service, "/q/health/ready").isEmpty()) {
                broken.add(service + " is not ready");
            }
        }
        return broken;
    }

    /** Of its first container. Asked from inside, since management ports are not published. */
    @Override
    public Optional<String> askManagement(String service, String path, Duration atMost) throws InterruptedException {
        try {
            var containers = containers(service, "-q");
            if (containers.isEmpty()) {
                return Optional.empty();
            }
            var container = containers.getFirst();
            var seconds = String.valueOf(Math.max(1, atMost.toSeconds()));
            var answer = docker(
                    "exec", container, "timeout", seconds, "bash", "/usr/local/bin/answers.sh", MANAGEMENT_PORT, path);
            return Optional.of(String.join("\n", answer));
        } catch (IOException | CommandFailedException _) {
            return Optional.empty(); // it has just ended, or is not well
        }
    }

    /** Read once, from a container that has it: later that may be down. */
    @Override
    public String secret(String name) {
        return secrets.computeIfAbsent(name, _ -> {
            boolean shared = SIMULATORS_SECRETS.contains(name);
            String file = shared ? name.toUpperCase(Locale.ROOT) : Secrets.variableOf(name);
            try {
                String container =
                        containers(shared ? "simulators" : "bootstrap", "-aq").getFirst();
                return docker("exec", container, "cat", "/run/secrets/orderly/" + file)
                        .getFirst();
            } catch (IOException e) {
                throw new CommandFailedException("cannot read " + file + ": " + e, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CommandFailedException("interrupted", e);
            }
        });
    }

    @Override
    public List<String> logged() {
        return Stream.of(SERVICES, BROKERS, List.of("postgres", "connect", "bootstrap", "simulators"))
                .flatMap(List::stream)
                .toList();
    }

    @Override
    public List<String> log(String part) throws IOException, InterruptedException {
        var lines = new ArrayList<String>();
        for (String container : containers(part, "-aq")) {
            lines.addAll(docker("logs", container));
        }
        return lines;
    }

    /** @param which an option of {@code docker ps}: -q for those that run, -aq for all */
    private List<String> containers(String part, String which) throws IOException, InterruptedException {
        return docker(
                "ps",
                which,
                "--filter",
                "label=com.docker.compose.project=" + project(),
                "--filter",
                "label=com.docker.compose.service=" + part);
    }

    /** The user may have chosen any name for the project; its port is known, and unique. */
    private synchronized String project() throws IOException, InterruptedException {
        if (project == null) {
            var proxies = docker("ps", "-q", "--filter", "publish=" + ComposeSettings.port("order-service"));
            if (proxies.isEmpty()) {
                throw new CommandFailedException("the proxy does not run");
            }
            var label = "{{index .Config.Labels \"com.docker.compose.project\"}}";
            project = docker("inspect", "--format", label, proxies.getFirst()).getFirst();
        }
        return project;
    }

    private static List<String> docker(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var lines = new String(process.getInputStream().readAllBytes(), UTF_8)
                .lines()
                .toList();
        if (process.waitFor() != 0) {
            throw new CommandFailedException(String.join(" ", command) + ": " + String.join(" ", lines));
        }
        return lines;
    }
}
