package dev.orderly.platform.connect;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

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
                        "config.providers.file.param.allowed.paths",
                                settings.data().toString()));
    }
}
