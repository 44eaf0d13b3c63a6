package dev.orderly.platform.kafka;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
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
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaAlteration.Op;
import org.apache.kafka.common.quota.ClientQuotaEntity;

/** Creates the users, topics and quotas of {@code infra/kafka}. */
public final class TopicProvisioner implements AutoCloseable {
    private final Path folder;
    private final KafkaUsers users;
    private final Secrets secrets;
    private final Admin admin;

    /** One topic of the data file. */
    private record Topic(String name, String about, int partitions, Map<String, String> config) {}

    /** In bytes per second and broker, for clients of one id. */
    private record Quota(String clientId, String about, long producerBytesPerSecond, long consumerBytesPerSecond) {}

    /** @param bootstrapServers internal listeners: the others know no user until this has created them */
    public TopicProvisioner(Path infra, String bootstrapServers, Secrets secrets) {
        this.folder = infra.resolve("kafka");
        this.users = KafkaUsers.read(infra);
        this.secrets = secrets;
        var settings = new HashMap<String, Object>(
                KafkaLogin.of(secrets, KafkaLogin.ADMIN).internalSettings(secrets.certificates()));
        settings.putAll(Map.of(
                "bootstrap.servers", bootstrapServers,
                "client.id", "launcher",
                "request.timeout.ms", "5000",
                "default.api.timeout.ms", "15000",
                "reconnect.backoff.max.ms", "500"));
        this.admin = Admin.create(settings);
    }

    /** The ids of the brokers that the controllers consider alive; none while no broker responds. */
    Set<Integer> brokers() throws InterruptedException {
        try {
            return admin.describeCluster().nodes().get().stream().map(Node::id).collect(Collectors.toSet());
        } catch (ExecutionException _) {
            return Set.of();
        }
    }

    /** Creates missing topics, and sets the settings of existing ones, users with their rules, and quotas. */
    public void create() throws InterruptedException {
        try {
            users.apply(admin, secrets);
            createTopics();
            setQuotas();
        } catch (IOException | ExecutionException e) {
            throw new CommandFailedException(
                    "cannot create the users, topics and quotas of " + folder + ": " + e.getMessage(), e);
        }
    }

    private void createTopics() throws IOException, ExecutionException, InterruptedException {
        var topics = read("topics.json", new TypeReference<List<Topic>>() {});
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
    }

    private void setQuotas() throws IOException, ExecutionException, InterruptedException {
        var quotas = read("quotas.json", new TypeReference<List<Quota>>() {}).stream()
                .map(quota -> new ClientQuotaAlteration(
                        new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, quota.clientId())),
                        List.of(
                                new Op("producer_byte_rate", (double) quota.producerBytesPerSecond()),
                                new Op("consumer_byte_rate", (double) quota.consumerBytesPerSecond()))))
                .toList();
        admin.alterClientQuotas(quotas).all().get();
    }

    private <T> T read(String file, TypeReference<T> type) throws IOException {
        return new JsonMapper().readValue(folder.resolve(file).toFile(), type);
    }

    // Never the number of partitions: more of them move keys, and so an order's events out of order.
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
