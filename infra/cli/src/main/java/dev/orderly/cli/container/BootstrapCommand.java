package dev.orderly.cli.container;

import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.connect.ConnectorReconciler;
import dev.orderly.platform.kafka.TopicProvisioner;
import dev.orderly.platform.postgres.ServiceDatabases;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Databases, roles and topics as the data files say, made once the servers answer; relays, for as long as it runs. */
@Command(name = "bootstrap", hidden = true, description = "In a container: make databases and topics, keep the relays.")
public final class BootstrapCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(BootstrapCommand.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final int POSTGRES_PORT = 5432;

    @Option(names = "--postgres", defaultValue = "postgres", description = "Its host; it listens on 5432.")
    String postgres;

    @Option(names = "--connect", required = true, description = "Address of the worker.")
    URI connect;

    @Option(names = "--ready-file", required = true, description = "Is there while everything is, and only then.")
    Path readyFile;

    private boolean ready;

    @Override
    public Integer call() throws InterruptedException, IOException {
        Files.deleteIfExists(readyFile); // of the process before, if that was killed
        var names = ServiceDefinition.all(Checkout.path(), PlatformSettings.Ports.USUAL.http()).stream()
                .map(ServiceDefinition::database)
                .toList();
        Path infra = Checkout.path().resolve("infra");
        String kafka = Secrets.variable("KAFKA_BOOTSTRAP_SERVERS");
        var databases = new ServiceDatabases(infra, postgres, POSTGRES_PORT, Secrets.ofEnvironment(names));
        untilDone("databases and roles", () -> databases.create(names));
        untilDone("topics", () -> {
            try (var topics = new TopicProvisioner(infra, kafka)) {
                topics.create();
            }
        });
        try (var relays = new ConnectorReconciler(
                infra, connect, databases, names, _ -> "${env:" + Secrets.RELAY_VARIABLE + "}")) {
            relays.start();
            while (true) {
                report(relays.allRun());
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
        }
    }

    private void report(boolean now) throws IOException {
        if (now == ready) {
            return;
        }
        ready = now;
        if (ready) {
            Files.createFile(readyFile);
        } else {
            Files.delete(readyFile);
        }
        LOG.info(ready ? "everything is there" : "not all relays run");
    }

    private interface Step {
        void run() throws InterruptedException;
    }

    private static void untilDone(String what, Step step) throws InterruptedException {
        while (true) {
            try {
                step.run();
                LOG.info("{} are there", what);
                return;
            } catch (CommandFailedException | org.apache.kafka.common.KafkaException e) {
                LOG.info("{}: not yet: {}", what, e.getMessage());
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
        }
    }
}
