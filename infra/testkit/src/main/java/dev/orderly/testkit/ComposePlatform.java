package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.ComposeSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What {@code docker-compose up} has started. Whoever looks at it may break it meanwhile; we do not. */
public final class ComposePlatform extends RunningPlatform {

    private static final Duration START = Duration.ofSeconds(180);

    public ComposePlatform(Path checkout, Path data) {
        super(checkout, data, Map.of());
    }

    /** Returns when it can be used. What others have ordered there could not be accounted for. */
    @Override
    public void start() throws InterruptedException {
        usePorts(ComposeSettings::port);
        await(START, "all services and relays; docker-compose ps tells more", () -> {
            try {
                return brokenParts().isEmpty() && brokenRelays().isEmpty();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return true;
            }
        });
        try (var connection = connect("orders");
                var select = connection.createStatement();
                var row = select.executeQuery("SELECT count(*) FROM orders")) {
            row.next();
            if (row.getLong(1) > 0) {
                throw new CommandFailedException("there are " + row.getLong(1)
                        + " orders already, of which we know nothing: docker-compose down -v, then up again");
            }
        } catch (SQLException e) {
            throw new CommandFailedException("cannot ask the database for orders: " + e.getMessage(), e);
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
                    default -> throw new IllegalArgumentException(name);
                });
    }

    @Override
    public List<String> logged() {
        return Stream.of(SERVICES, BROKERS, List.of("postgres", "connect", "bootstrap", "simulators"))
                .flatMap(List::stream)
                .toList();
    }

    /** Of all containers of a part, also of those that are gone but not removed. */
    @Override
    public List<String> log(String part) throws IOException, InterruptedException {
        // The project's name is the user's business; but nobody else has its port.
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
            throw new CommandFailedException(String.join(" ", command) + " says: " + String.join(" ", lines));
        }
        return lines;
    }
}
