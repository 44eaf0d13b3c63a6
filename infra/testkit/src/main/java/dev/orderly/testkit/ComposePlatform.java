package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.ComposeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What {@code docker-compose up} has started: observed, and neither started nor stopped from here. */
public final class ComposePlatform extends RunningPlatform {

    private static final Duration MAX_START = Duration.ofSeconds(180);

    public ComposePlatform(Path data) {
        super(data, Map.of());
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
            if (ask("GET", url(service, "/q/health/ready"), null).isEmpty()) {
                broken.add(service + " is not ready");
            }
        }
        return broken;
    }

    @Override
    public String secret(String name) {
        return ComposeSettings.variable(
                switch (name) {
                    case "postgres" -> "POSTGRES_PASSWORD";
                    case "gateway_api_key" -> "GATEWAY_API_KEY";
                    case "identity_client_secret" -> "IDENTITY_CLIENT_SECRET";
                    default -> throw new IllegalArgumentException(name);
                });
    }

    @Override
    public List<String> logged() {
        return Stream.of(SERVICES, BROKERS, List.of("postgres", "connect", "bootstrap", "simulators"))
                .flatMap(List::stream)
                .toList();
    }

    /** Of all containers of a part, also of those that have ended but were not removed. */
    @Override
    public List<String> log(String part) throws IOException, InterruptedException {
        // The user may have chosen any name for the project; its port is known, and unique.
        String proxy = docker("ps", "-q", "--filter", "publish=" + ComposeSettings.port("order-service"))
                .getFirst();
        String project = docker("inspect", "--format", "{{index .Config.Labels \"com.docker.compose.project\"}}", proxy)
                .getFirst();
        var lines = new ArrayList<String>();
        for (String container : docker(
                "ps",
                "-aq",
                "--filter",
                "label=com.docker.compose.project=" + project,
                "--filter",
                "label=com.docker.compose.service=" + part)) {
            lines.addAll(docker("logs", container));
        }
        return lines;
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
