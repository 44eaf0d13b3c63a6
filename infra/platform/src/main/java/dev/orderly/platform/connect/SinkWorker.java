package dev.orderly.platform.connect;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.postgres.SinkDatabases;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Kafka Connect worker of the sinks: another process than that of the relays, so that neither what a
 * sink computes nor its failure reaches them. It is standalone: its connectors are two files, and it stores
 * nothing.
 */
public final class SinkWorker {
    public static final String NAME = "sinks";
    private static final Duration GRACE = Duration.ofMillis(1500);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final String authorization;

    public SinkWorker(PlatformSettings settings, Secrets secrets) {
        this.settings = settings;
        this.secrets = secrets;
        this.authorization = ConnectWorker.authorization(secrets.of(Secrets.CONNECT));
    }

    private URI url(String path) {
        return URI.create(
                "http://" + PlatformSettings.HOST + ":" + settings.ports().sinks() + path);
    }

    public ManagedProcess part() {
        var command =
                JvmOptions.CONNECT.kafka(settings, "org.apache.kafka.connect.cli.ConnectStandalone", writeSettings());
        for (String database : SinkDatabases.NAMES) {
            command.add(settings.infra()
                    .resolve("connect/" + database + "-sink.json")
                    .toString());
        }
        command.add(1, "-Djava.security.auth.login.config=" + ConnectWorker.writeLogin(settings, secrets, NAME));
        return new ManagedProcess(
                NAME,
                settings.ports().sinks(),
                command,
                environment(),
                ManagedProcess.Stop.term(GRACE),
                HealthProbe.http(url("/health"), authorization),
                this::noTaskHasFailed);
    }

    /** What the connectors refer to. */
    private Map<String, String> environment() {
        var environment = new HashMap<String, String>();
        environment.put(
                "SINK_POSTGRES", PlatformSettings.HOST + ":" + settings.ports().postgres());
        environment.put("SINK_POSTGRES_OPTIONS", secrets.certificates().postgresQuery());
        for (String database : SinkDatabases.NAMES) {
            for (String name : List.of(SinkDatabases.role(database), Secrets.ofKafkaUser("sink-" + database))) {
                environment.put(Secrets.variableOf(name), secrets.of(name));
            }
        }
        return environment;
    }

    /** As infra/containers/sinks.sh does. */
    private Path writeSettings() {
        var own = new HashMap<>(Map.of(
                "bootstrap.servers", settings.bootstrapServers(),
                "sasl.jaas.config", KafkaLogin.of(secrets, NAME).jaasConfig(),
                "listeners", url("").toString(),
                "offset.storage.file.filename", settings.run(NAME + ".offsets").toString(),
                "plugin.path",
                        Checkout.target("sink").resolve("connect-plugins").toString()));
        secrets.certificates().kafka(NAME).forEach((name, value) -> {
            for (String client : List.of("", "consumer.", "producer.")) {
                own.put(client + name, value);
            }
        });
        return settings.writeProperties(NAME, List.of("connect/sink-worker.properties"), own);
    }

    /** Connect itself never starts a failed task again. No answer passes, as of any part. */
    private boolean noTaskHasFailed() throws InterruptedException {
        try {
            var request = HttpRequest.newBuilder(url("/connectors?expand=status"))
                    .timeout(HealthProbe.TIMEOUT)
                    .header("Authorization", authorization)
                    .build();
            return !HealthProbe.HTTP
                    .send(request, BodyHandlers.ofString())
                    .body()
                    .contains("\"FAILED\"");
        } catch (IOException _) {
            return true;
        }
    }
}
