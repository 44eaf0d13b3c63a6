package dev.orderly.platform.connect;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The Kafka Connect worker, which runs the relay of each outbox ({@link ConnectorReconciler}). It has the
 * passwords of the relays in a directory, a file for each; the connectors' settings only refer to these.
 */
public final class ConnectWorker {
    public static final String NAME = "connect";
    private static final Duration GRACE = Duration.ofMillis(1500);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final List<String> databases;

    public ConnectWorker(PlatformSettings settings, Secrets secrets, List<String> databases) {
        this.settings = settings;
        this.secrets = secrets;
        this.databases = databases;
    }

    /** What the connectors refer to, see {@link ConnectorReconciler}. */
    public Path passwords() {
        return settings.run("connect-secrets");
    }

    public URI url(String path) {
        return URI.create(
                "http://" + PlatformSettings.HOST + ":" + settings.ports().connect() + path);
    }

    public ManagedProcess part() {
        writePasswords();
        return new ManagedProcess(
                NAME,
                settings.ports().connect(),
                JvmOptions.CONNECT.kafka(settings, "org.apache.kafka.connect.cli.ConnectDistributed", writeSettings()),
                Map.of(),
                ManagedProcess.Stop.term(settings.grace(JvmOptions.CONNECT, GRACE)),
                HealthProbe.http(url("/health")),
                ManagedProcess.ALWAYS);
    }

    private void writePasswords() {
        try {
            StateDirectory.delete(passwords());
            Files.createDirectory(passwords());
            for (String database : databases) {
                String role = database + "_relay";
                Secrets.writePrivately(passwords().resolve(Secrets.variableOf(role)), secrets.of(role));
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + passwords() + ": " + e, e);
        }
    }

    private Path writeSettings() {
        return settings.writeProperties(
                NAME,
                List.of("connect/worker.properties"),
                Map.of(
                        "bootstrap.servers", settings.bootstrapServers(),
                        "listeners", url("").toString(),
                        "plugin.path",
                                Checkout.target("relay")
                                        .resolve("connect-plugins")
                                        .toString(),
                        "config.providers.secrets.param.allowed.paths",
                                passwords().toString()));
    }
}
