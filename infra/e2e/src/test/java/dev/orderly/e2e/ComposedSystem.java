package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Container;
import com.github.dockerjava.api.model.ContainerNetwork;
import com.github.dockerjava.api.model.Frame;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.operations.AccessTokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ComposeContainer;
import org.testcontainers.containers.DockerComposeContainer;
import org.testcontainers.lifecycle.Startable;

/**
 * What {@code docker-compose up --build} starts, under a project name and on ports of its own, removed with
 * its volumes at the end. Tests that need it are skipped where no Docker engine or no Compose answers.
 */
class ComposedSystem implements BeforeAllCallback {

    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final List<String> SERVICES =
            List.of("order-service", "inventory-service", "payment-service", "notification-service");
    static final Duration MAX_WAIT = Duration.ofSeconds(240);

    private static Composed composed;

    @Override
    public void beforeAll(ExtensionContext context) {
        assumeTrue(
                DockerClientFactory.instance().isDockerAvailable(),
                "skipped: no Docker engine answers, so nothing can be run in containers");
        var compose = Program.succeeds("docker", "compose", "version") ? "v2" : "v1";
        assumeTrue(
                compose.equals("v2") || Program.succeeds("docker-compose", "version"),
                "skipped: a Docker engine answers, but there is neither docker compose nor docker-compose");
        context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent(ComposedSystem.class, _ -> new Composed(compose), Composed.class);
    }

    static URI url(String service, String path) {
        return URI.create("http://localhost:" + composed.port(service) + path);
    }

    static AccessTokens tokens() {
        return composed.tokens;
    }

    /** The settings that compose was started with; another command finds the containers by them. */
    static Map<String, String> environment() {
        return composed.environment;
    }

    /** The process is gone at once, and is not restarted. */
    static void kill(String service) {
        docker().killContainerCmd(container(service).getId()).withSignal("KILL").exec();
    }

    static void start(String service) {
        docker().startContainerCmd(container(service).getId()).exec();
    }

    /** It runs, without a network. Returns those that it had, for {@link #connect}. */
    static Set<String> cutOff(String service) {
        var container = container(service).getId();
        var networks = networks(service).keySet();
        for (var network : networks) {
            docker().disconnectFromNetworkCmd()
                    .withNetworkId(network)
                    .withContainerId(container)
                    .withForce(true)
                    .exec();
        }
        return networks;
    }

    static void connect(String service, Set<String> networks) {
        var container = container(service).getId();
        for (var network : networks) {
            docker().connectToNetworkCmd()
                    .withNetworkId(network)
                    .withContainerId(container)
                    .withContainerNetwork(new ContainerNetwork().withAliases(service))
                    .exec();
        }
    }

    static Map<String, ContainerNetwork> networks(String service) {
        return docker().inspectContainerCmd(container(service).getId())
                .exec()
                .getNetworkSettings()
                .getNetworks();
    }

    static void awaitReady() {
        SERVICES.forEach(service -> awaitManagement(service, "/q/health/ready"));
    }

    /** Returns when the management port of a service answers 200. */
    static void awaitManagement(String service, String path) {
        await(service + path)
                .atMost(MAX_WAIT)
                .ignoreExceptions()
                .until(() -> askManagement(service, path).exitCode() == 0);
    }

    /** From inside, since management ports are not published. */
    static Execution askManagement(String service, String path) {
        return execute(service, "bash", "/usr/local/bin/answers.sh", "9000", path);
    }

    /** How a command ended in a container, and what it printed. */
    record Execution(long exitCode, String output) {}

    static Execution execute(String service, String... command) {
        var execution = docker().execCreateCmd(container(service).getId())
                .withAttachStdout(true)
                .withAttachStderr(true)
                .withCmd(command)
                .exec()
                .getId();
        var output = new StringBuilder();
        var reader = new ResultCallback.Adapter<Frame>() {
            @Override
            public void onNext(Frame frame) {
                output.append(new String(frame.getPayload(), UTF_8));
            }
        };
        try {
            docker().execStartCmd(execution).exec(reader).awaitCompletion();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return new Execution(docker().inspectExecCmd(execution).exec().getExitCodeLong(), output.toString());
    }

    /** The single number that a query as a service's own role finds. */
    static long number(String database, String sql) {
        var url = "jdbc:postgresql://localhost:" + composed.port("postgres") + "/" + database;
        var role = database + "_app";
        var password = composed.passwords.computeIfAbsent(role, Composed::password);
        try (var connection = DriverManager.getConnection(url, role, password);
                var select = connection.createStatement();
                var row = select.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Those of all parts that run. */
    static List<Container> containers() {
        return docker().listContainersCmd()
                .withLabelFilter(Map.of("com.docker.compose.project", composed.project))
                .exec();
    }

    /** The running or stopped container of a part. */
    static Container container(String service) {
        var labels = Map.of("com.docker.compose.project", composed.project, "com.docker.compose.service", service);
        return docker().listContainersCmd()
                .withShowAll(true)
                .withLabelFilter(labels)
                .exec()
                .getFirst();
    }

    static DockerClient docker() {
        return DockerClientFactory.instance().client();
    }

    private static final class Composed implements AutoCloseable {
        private static final Map<String, String> PORTS = Map.of(
                "order-service", "ORDER_PORT",
                "inventory-service", "INVENTORY_PORT",
                "payment-service", "PAYMENT_PORT",
                "notification-service", "NOTIFICATION_PORT",
                "postgres", "POSTGRES_PORT",
                "connect", "CONNECT_PORT",
                "kafka-1", "KAFKA_1_PORT",
                "kafka-2", "KAFKA_2_PORT",
                "kafka-3", "KAFKA_3_PORT");

        private final Map<String, String> environment = new HashMap<>();
        private final Map<String, String> passwords = new ConcurrentHashMap<>();
        private final AccessTokens tokens;
        private final String project;
        private final Startable compose;

        Composed(String version) {
            composed = this;
            takeFreePorts();
            var secret = UUID.randomUUID().toString();
            environment.put("IDENTITY_CLIENT_SECRET", secret);
            tokens = new AccessTokens(Integer.parseInt(environment.get("IDENTITY_PORT")), secret, "");
            var identifier = "orderly-e2e-" + UUID.randomUUID().toString().substring(0, 8);
            var file = CHECKOUT.resolve("docker-compose.yml").toFile();
            // The reactor has just packaged everything: images take it from there instead of building it
            // again.
            if (!Program.succeeds(CHECKOUT.resolve("orderly").toString(), "packaged")) {
                throw new IllegalStateException("./orderly packaged failed");
            }
            compose = version.equals("v2")
                    ? new ComposeContainer(identifier, file)
                            .withEnv(environment)
                            .withBuild(true)
                            .withPull(false)
                    : new DockerComposeContainer<>(identifier, file)
                            .withEnv(environment)
                            .withBuild(true)
                            .withPull(false);
            compose.start();
            project = docker().listContainersCmd().withShowAll(true).exec().stream()
                    .map(c -> c.getLabels().getOrDefault("com.docker.compose.project", ""))
                    .filter(name -> name.startsWith(identifier))
                    .findFirst()
                    .orElseThrow();
            awaitReady();
            await().atMost(MAX_WAIT)
                    .until(() -> container("bootstrap").getStatus().contains("(healthy)"));
        }

        private void takeFreePorts() {
            var taken = PORTS.values().stream()
                    .collect(HashMap<String, ServerSocket>::new, (map, name) -> map.put(name, free()), Map::putAll);
            for (var port : List.of(
                    "SMTP_PORT", "MAIL_API_PORT", "SMS_PORT", "GATEWAY_PORT", "IDENTITY_PORT", "CONSOLE_PORT")) {
                taken.put(port, free());
            }
            taken.forEach((name, socket) -> {
                environment.put(name, String.valueOf(socket.getLocalPort()));
                try {
                    socket.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }

        private static ServerSocket free() {
            try {
                return new ServerSocket(0);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** As the container has it that made the role. */
        static String password(String role) {
            return execute("bootstrap", "cat", "/run/secrets/orderly/" + Secrets.variableOf(role))
                    .output();
        }

        int port(String service) {
            return Integer.parseInt(environment.get(PORTS.get(service)));
        }

        @Override
        public void close() {
            compose.stop();
        }
    }
}
