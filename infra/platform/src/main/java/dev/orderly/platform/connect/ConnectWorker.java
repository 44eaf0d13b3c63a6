package dev.orderly.platform.connect;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;

/** The Kafka Connect worker, which runs the relay of each outbox ({@link ConnectorReconciler}). */
public final class ConnectWorker {
    public static final String NAME = "connect";
    private static final Duration GRACE = Duration.ofMillis(1500);

    private final PlatformSettings settings;

    public ConnectWorker(PlatformSettings settings) {
        this.settings = settings;
    }

    public URI url(String path) {
        return URI.create(
                "http://" + PlatformSettings.HOST + ":" + settings.ports().connect() + path);
    }

    public ManagedProcess part() {
        return new ManagedProcess(
                NAME,
                settings.ports().connect(),
                JvmOptions.CONNECT.kafka(settings, "org.apache.kafka.connect.cli.ConnectDistributed", writeSettings()),
                Map.of(),
                ManagedProcess.Stop.term(settings.grace(JvmOptions.CONNECT, GRACE)),
                HealthProbe.http(url("/health")),
                ManagedProcess.ALWAYS);
    }

    private Path writeSettings() {
        Path own = settings.run("connect.properties");
        var properties = new Properties();
        try (var reader = Files.newBufferedReader(settings.infra().resolve("connect/worker.properties"))) {
            properties.load(reader);
            properties.setProperty("bootstrap.servers", settings.bootstrapServers());
            properties.setProperty("listeners", url("").toString());
            properties.setProperty(
                    "plugin.path",
                    Checkout.target("kafka").resolve("connect-plugins").toString());
            properties.setProperty(
                    "config.providers.file.param.allowed.paths", settings.data().toString());
            try (Writer writer = Files.newBufferedWriter(own)) {
                properties.store(writer, null);
            }
            return own;
        } catch (IOException e) {
            throw new CommandFailedException("cannot write " + own + ": " + e, e);
        }
    }
}
