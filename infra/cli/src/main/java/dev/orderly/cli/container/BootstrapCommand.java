package dev.orderly.cli.container;

import dev.orderly.platform.CertificateReload;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.ServiceMigrations;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.connect.ConnectorReconciler;
import dev.orderly.platform.kafka.ConsumerGroups;
import dev.orderly.platform.kafka.KafkaUsers;
import dev.orderly.platform.kafka.TopicProvisioner;
import dev.orderly.platform.observe.GroupMetrics;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.postgres.SinkDatabases;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Creates databases, roles and topics and migrates once the servers respond, then reconciles the relays. */
@Command(
        name = "bootstrap",
        hidden = true,
        description = "In a container: create and migrate databases, create topics, keep the relays running.")
public final class BootstrapCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(BootstrapCommand.class);
    private static final Duration POLL = Duration.ofSeconds(1);
    private static final int POSTGRES_PORT = 5432;
    private static final String EVERY_INTERFACE = "0.0.0.0";
    /** In the container of Connect, which infra/containers/secrets.sh has written them for. */
    private static final Path CONNECT_PASSWORDS = Path.of("/run/secrets/orderly");

    @Option(names = "--postgres", defaultValue = "postgres", description = "Its host; it listens on 5432.")
    String postgres;

    @Option(names = "--connect", required = true, description = "Address of the worker.")
    URI connect;

    @Option(names = "--ready-file", required = true, description = "Exists while all relays run.")
    Path readyFile;

    @Option(names = "--metrics-port", required = true, description = "Where it has metrics of consumer groups.")
    int metricsPort;

    private boolean ready;

    @Override
    public Integer call() throws InterruptedException, IOException {
        Files.deleteIfExists(readyFile); // of the previous process, if that was killed
        var services = ServiceDefinition.all(Checkout.path(), PlatformSettings.Ports.DEFAULT.http());
        var names = services.stream().map(ServiceDefinition::database).toList();
        Path infra = Checkout.path().resolve("infra");
        String kafka = Secrets.variable("KAFKA_BOOTSTRAP_SERVERS");
        var passwords = new ArrayList<>(ServiceDatabases.roles(names));
        passwords.addAll(KafkaUsers.read(infra).secrets());
        boolean registry = System.getenv(Secrets.variableOf(Secrets.REGISTRY)) != null;
        if (registry) { // with docker-compose.registry.yml
            passwords.add(Secrets.REGISTRY);
        }
        boolean erpCrm = System.getenv(Secrets.variableOf(SinkDatabases.roles().getFirst())) != null;
        if (erpCrm) { // with docker-compose.erp-crm.yml
            passwords.addAll(SinkDatabases.roles());
        }
        var secrets = Secrets.ofEnvironment(passwords);
        var databases = new ServiceDatabases(infra, postgres, POSTGRES_PORT, secrets);
        untilDone("databases and roles", () -> databases.create(names));
        if (registry) {
            untilDone("the schema registry's database", databases::createRegistry);
        }
        if (erpCrm) {
            var sinks = new SinkDatabases(infra, databases, secrets);
            untilDone("the databases of ERP and CRM", sinks::create);
        }
        untilDone("migrations", () -> ServiceMigrations.apply(services, Checkout.path(), databases));
        untilDone("topics and their users", () -> {
            try (var topics = new TopicProvisioner(infra, kafka, secrets)) {
                topics.create();
            }
        });
        String authorization = ConnectWorker.authorization(secrets.of(Secrets.CONNECT));
        var groups = new ConsumerGroups(infra, kafka, secrets);
        try (var _ = new GroupMetrics(groups, secrets.certificates(), Optional.empty(), EVERY_INTERFACE, metricsPort);
                var relays =
                        new ConnectorReconciler(infra, connect, authorization, databases, names, CONNECT_PASSWORDS);
                var certificates = new CertificateReload(databases, kafka, secrets)) {
            relays.start();
            certificates.start();
            while (true) {
                report(relays.allRun());
                TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
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
        LOG.info(ready ? "everything exists, and all relays run" : "not all relays run");
    }

    private interface Step {
        void run() throws InterruptedException;
    }

    private static void untilDone(String what, Step step) throws InterruptedException {
        while (true) {
            try {
                step.run();
                LOG.info("{}: done", what);
                return;
            } catch (CommandFailedException | KafkaException e) {
                LOG.info("{}: not yet: {}", what, e.getMessage());
                TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
            }
        }
    }
}
