package dev.orderly.platform.kafka;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.GuardedProcess;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.ManagedProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The brokers, each also a controller (KRaft). */
public final class KafkaBrokers implements AutoCloseable {
    /** The name under which {@link Secrets} keeps what the brokers log in with among themselves. */
    public static final String SECRET = Secrets.ofKafkaUser(KafkaLogin.BROKER);

    private static final Duration GRACE = Duration.ofMillis(2500);
    private static final Duration FORMAT_DEADLINE = Duration.ofSeconds(60);

    private final PlatformSettings settings;
    private final Secrets secrets;
    private TopicProvisioner topics;

    public KafkaBrokers(PlatformSettings settings, Secrets secrets) {
        this.settings = settings;
        this.secrets = secrets;
    }

    /** Writes each broker's settings and, before its first start, formats its storage. */
    public void init() throws InterruptedException {
        var formatting = new ArrayList<GuardedProcess>();
        for (int id = 1; id <= settings.brokers(); id++) {
            Path properties = writeSettings(id);
            if (!Files.exists(storage(id).resolve("meta.properties"))) {
                formatting.add(format("kafka-" + id, properties));
            }
        }
        for (var broker : formatting) {
            broker.awaitSuccess(FORMAT_DEADLINE);
        }
    }

    private GuardedProcess format(String broker, Path properties) {
        var command = JvmOptions.BROKER.kafkaTool(
                settings,
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                clusterId(),
                "--config",
                properties.toString(),
                "--ignore-formatted"); // after a start that was killed
        return GuardedProcess.start(
                settings,
                "the formatting of the storage of " + broker,
                broker + "-format.pid",
                settings.log(broker),
                command);
    }

    /** The same for all clusters: there is one per state directory, and no broker leaves it. */
    private String clusterId() {
        Path file = settings.infra().resolve("kafka/cluster-id");
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + file + ": " + e, e);
        }
    }

    private Path storage(int id) {
        return settings.data().resolve("kafka").resolve(String.valueOf(id));
    }

    private Path writeSettings(int id) {
        var ports = settings.ports();
        var listeners = "CLIENT://%1$s:%2$d,INTERNAL://%1$s:%3$d,CONTROLLER://%1$s:%4$d"
                .formatted(PlatformSettings.HOST, ports.broker(id), ports.internal(id), ports.controller(id));
        if (ports.openKafka() != 0) {
            listeners += ",OPEN://%s:%d".formatted(PlatformSettings.HOST, ports.open(id));
        }
        var broker = KafkaLogin.of(secrets, KafkaLogin.BROKER);
        var admin = KafkaLogin.of(secrets, KafkaLogin.ADMIN);
        var voters = IntStream.rangeClosed(1, settings.brokers())
                .mapToObj(n -> n + "@" + PlatformSettings.HOST + ":" + ports.controller(n))
                .collect(Collectors.joining(","));
        var own = new HashMap<>(Map.of(
                "node.id", String.valueOf(id),
                "listeners", listeners,
                "advertised.listeners", listeners,
                "controller.quorum.voters", voters,
                "listener.name.internal.plain.sasl.jaas.config", broker.internalServer(broker, admin),
                "listener.name.controller.plain.sasl.jaas.config", broker.internalServer(broker),
                "log.dirs", storage(id).toString()));
        var files = new ArrayList<>(List.of("kafka/broker.properties"));
        if (settings.brokers() == 1) {
            files.add("kafka/single-broker.properties");
        }
        var certificates = secrets.certificates();
        if (certificates.exist()) {
            files.add("kafka/tls.properties");
            own.put("ssl.truststore.location", certificates.authority().toString());
            own.put("ssl.keystore.location", certificates.of("kafka-" + id).toString());
        }
        return settings.writeProperties("kafka-" + id, files, own);
    }

    public List<ManagedProcess> parts() {
        var parts = new ArrayList<ManagedProcess>();
        for (int id = 1; id <= settings.brokers(); id++) {
            int broker = id;
            parts.add(new ManagedProcess(
                    "kafka-" + id,
                    settings.ports().broker(id),
                    JvmOptions.BROKER.kafka(settings, "kafka.Kafka", settings.run("kafka-" + id + ".properties")),
                    Map.of(),
                    ManagedProcess.Stop.term(settings.grace(JvmOptions.BROKER, GRACE)),
                    () -> inCluster(broker),
                    ManagedProcess.ALWAYS,
                    true));
        }
        return parts;
    }

    /** By the controllers' metadata: a broker that accepts connections may still be catching up. */
    private boolean inCluster(int id) throws InterruptedException {
        if (!HealthProbe.tcp(settings.ports().broker(id)).check()) {
            return false; // the client would only wait
        }
        var brokers = topics().brokers();
        if (brokers.isEmpty() && secrets.certificates().exist()) {
            close(); // this client's certificate may have expired, and another has been written
        }
        return brokers.contains(id);
    }

    /** With the users that may use them. */
    public void createTopics() throws InterruptedException {
        topics().create();
    }

    private synchronized TopicProvisioner topics() {
        if (topics == null) {
            var internal = settings.bootstrapServers(settings.ports()::internal);
            topics = new TopicProvisioner(settings.infra(), internal, secrets);
        }
        return topics;
    }

    @Override
    public synchronized void close() {
        if (topics != null) {
            topics.close();
            topics = null;
        }
    }
}
