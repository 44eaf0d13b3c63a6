package dev.orderly.platform;

import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;

/** The Kafka Connect worker, which runs the relay of each outbox ({@link OutboxConnectors}). */
final class Connect {
    static final String NAME = "connect";
    private static final Duration GRACE = Duration.ofMillis(1500);

    private final Settings settings;

    Connect(Settings settings) {
        this.settings = settings;
    }

    URI url(String path) {
        return URI.create("http://" + Settings.HOST + ":" + settings.ports().connect() + path);
    }

    Part part() {
        return new Part(
                NAME,
                settings.ports().connect(),
                Jvm.CONNECT.kafka(settings, "org.apache.kafka.connect.cli.ConnectDistributed", writeSettings()),
                Map.of(),
                Part.Stop.term(settings.grace(Jvm.CONNECT, GRACE)),
                Probe.http(url("/health")),
                Part.ALWAYS);
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
            throw new StartFailure("cannot write " + own + ": " + e, e);
        }
    }
}
