package dev.orderly.platform;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The brokers, each also a controller (KRaft), and the topics of {@code infra/kafka/topics.json}. */
final class Kafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Kafka.class);
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final Part.Stop STOP = Part.Stop.term(Duration.ofMillis(2500));
    /** One platform per state folder, and no broker ever leaves it: the cluster needs no name of its own. */
    private static final String CLUSTER_ID = "T3JkZXJseS1wbGF0Zm9ybQ";

    private final Settings settings;
    private Admin admin;

    Kafka(Settings settings) {
        this.settings = settings;
    }

    /** One topic of the data file. */
    private record Topic(String name, String about, int partitions, Map<String, String> config) {}

    /** Writes each broker's settings and, before its first start, formats its storage. */
    void init() {
        for (int id = 1; id <= settings.brokers(); id++) {
            Path properties = writeSettings(id);
            if (Files.exists(storage(id).resolve("meta.properties"))) {
                continue;
            }
            // In this process: a JVM for each would cost a second each.
            var said = new ByteArrayOutputStream();
            int code = StorageTool.execute(
                    new String[] {
                        "format",
                        "--cluster-id",
                        CLUSTER_ID,
                        "--config",
                        properties.toString(),
                        "--ignore-formatted" // what a killed start left half done
                    },
                    new PrintStream(said, true, StandardCharsets.UTF_8));
            String output = said.toString(StandardCharsets.UTF_8).strip();
            LOG.info("formatted the storage of kafka-{}: {}", id, output);
            if (code != 0) {
                throw new StartFailure("cannot format the storage of kafka-" + id + ": "
                        + LogTail.meaningful(output.lines().toList()).orElse("code " + code));
            }
        }
    }

    private Path storage(int id) {
        return settings.data().resolve("kafka").resolve(String.valueOf(id));
    }

    private Path writeSettings(int id) {
        Path common = settings.infra().resolve("kafka/broker.properties");
        Path own = settings.run("kafka-" + id + ".properties");
        var properties = new Properties();
        try (var reader = Files.newBufferedReader(common)) {
            properties.load(reader);
            var ports = settings.ports();
            String replication = String.valueOf(settings.replication());
            String minInsync = String.valueOf(settings.minInsync());
            properties.setProperty("node.id", String.valueOf(id));
            properties.setProperty(
                    "listeners",
                    "PLAINTEXT://%1$s:%2$d,CONTROLLER://%1$s:%3$d"
                            .formatted(Settings.HOST, ports.broker(id), ports.controller(id)));
            properties.setProperty(
                    "advertised.listeners",
                    "PLAINTEXT://%1$s:%2$d,CONTROLLER://%1$s:%3$d"
                            .formatted(Settings.HOST, ports.broker(id), ports.controller(id)));
            properties.setProperty(
                    "controller.quorum.voters",
                    IntStream.rangeClosed(1, settings.brokers())
                            .mapToObj(n -> n + "@" + Settings.HOST + ":" + ports.controller(n))
                            .collect(Collectors.joining(",")));
            properties.setProperty("log.dirs", storage(id).toString());
            for (String topic :
                    List.of("default", "offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
                properties.setProperty(topic + ".replication.factor", replication);
            }
            for (String key : List.of(
                    "min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr")) {
                properties.setProperty(key, minInsync);
            }
            try (Writer writer = Files.newBufferedWriter(own)) {
                properties.store(writer, null);
            }
            return own;
        } catch (IOException e) {
            throw new StartFailure("cannot write " + own + ": " + e, e);
        }
    }

    List<Part> parts() {
        var parts = new ArrayList<Part>();
        for (int id = 1; id <= settings.brokers(); id++) {
            int broker = id;
            parts.add(new Part(
                    "kafka-" + id,
                    settings.ports().broker(id),
                    Jvm.BROKER.kafka(settings, "kafka.Kafka", settings.run("kafka-" + id + ".properties")),
                    Map.of(),
                    STOP,
                    DEADLINE,
                    () -> inCluster(broker),
                    Part.ALWAYS));
        }
        return parts;
    }

    /** In the controllers' eyes: a broker that accepts connections may still be catching up. */
    private boolean inCluster(int id) throws InterruptedException {
        if (!Probe.tcp(settings.ports().broker(id)).yes()) {
            return false; // the client would only wait
        }
        try {
            return admin().describeCluster().nodes().get().stream().anyMatch(node -> node.id() == id);
        } catch (ExecutionException _) {
            return false;
        }
    }

    /** Makes the topics that are missing, and the settings of those that are there what the data file says. */
    void createTopics() throws InterruptedException {
        Path file = settings.infra().resolve("kafka/topics.json");
        try {
            var topics = new JsonMapper().readValue(file.toFile(), new TypeReference<List<Topic>>() {});
            topics.forEach(t -> t.config().put("min.insync.replicas", String.valueOf(settings.minInsync())));
            var created = admin().createTopics(topics.stream()
                            .map(t -> new NewTopic(t.name(), t.partitions(), (short) settings.replication())
                                    .configs(t.config()))
                            .toList())
                    .values();
            for (Topic topic : topics) {
                try {
                    created.get(topic.name()).get();
                } catch (ExecutionException e) {
                    if (!(e.getCause() instanceof TopicExistsException)) {
                        throw e;
                    }
                    applySettings(topic);
                }
            }
        } catch (IOException | ExecutionException e) {
            throw new StartFailure("cannot make the topics of " + file + ": " + e.getMessage(), e);
        }
    }

    // Never the number of partitions: more of them move keys to other partitions, and an order's events out of order.
    private void applySettings(Topic topic) throws ExecutionException, InterruptedException {
        var operations = topic.config().entrySet().stream()
                .map(e -> new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET))
                .toList();
        admin().incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()), operations))
                .all()
                .get();
    }

    private synchronized Admin admin() {
        if (admin == null) {
            admin = Admin.create(Map.of(
                    "bootstrap.servers", settings.bootstrapServers(),
                    "client.id", "launcher",
                    "request.timeout.ms", "5000",
                    "default.api.timeout.ms", "15000",
                    "reconnect.backoff.max.ms", "500"));
        }
        return admin;
    }

    @Override
    public synchronized void close() {
        if (admin != null) {
            admin.close(Duration.ZERO);
        }
    }
}
