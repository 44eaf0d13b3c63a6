package dev.orderly.platform;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;

/** The topics of {@code infra/kafka/topics.json}, on whichever brokers, and which of these there are. */
final class Topics implements AutoCloseable {
    private final Path file;
    private final Admin admin;

    /** One topic of the data file. */
    private record Topic(String name, String about, int partitions, Map<String, String> config) {}

    Topics(Path infra, String bootstrapServers) {
        this.file = infra.resolve("kafka/topics.json");
        this.admin = Admin.create(Map.of(
                "bootstrap.servers", bootstrapServers,
                "client.id", "launcher",
                "request.timeout.ms", "5000",
                "default.api.timeout.ms", "15000",
                "reconnect.backoff.max.ms", "500"));
    }

    /** The ids of the brokers that the controllers take for working; none while nobody answers. */
    Set<Integer> brokers() throws InterruptedException {
        try {
            return admin.describeCluster().nodes().get().stream().map(Node::id).collect(Collectors.toSet());
        } catch (ExecutionException _) {
            return Set.of();
        }
    }

    /** Makes the topics that are missing, and the settings of those that are there what the data file says. */
    void create() throws InterruptedException {
        try {
            var topics = new JsonMapper().readValue(file.toFile(), new TypeReference<List<Topic>>() {});
            var created = admin.createTopics(topics.stream()
                            .map(t -> new NewTopic(t.name(), Optional.of(t.partitions()), Optional.empty())
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
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()), operations))
                .all()
                .get();
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
