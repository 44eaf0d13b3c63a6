package dev.orderly.console.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.console.config.Problem;
import io.quarkiverse.resteasy.problem.HttpProblem;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Records that should not be on the topic of orders, and groups that read it again. */
@ApplicationScoped
class TopicFaults {

    /** The services' groups that react to orders, and whose they are. */
    static final Map<String, String> GROUPS = new TreeMap<>(Map.of(
            "inventory-consumer-group", "inventory-service",
            "payment-consumer-group", "payment-service",
            "order-consumer-group", "order-service",
            "notification-consumer-group", "notification-service"));

    /** Records of each partition. */
    static final int REWOUND = 100;

    private static final String TOPIC = "order-service";
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Duration MAX_RESET_TIME = Duration.ofSeconds(20);
    private static final Duration RESET_PAUSE = Duration.ofMillis(50);

    private static final int NEWEST = 20;

    private final DemoPlatform platform;

    TopicFaults(DemoPlatform platform) {
        this.platform = platform;
    }

    String poison() throws InterruptedException, ExecutionException, TimeoutException {
        var record = new ProducerRecord<>(TOPIC, UUID.randomUUID().toString(), "{\"id\":".getBytes(UTF_8));
        record.headers()
                .add("type", "OrderPlaced".getBytes(UTF_8))
                .add("source", "console".getBytes(UTF_8))
                .add("id", UUID.randomUUID().toString().getBytes(UTF_8))
                .add("version", "1".getBytes(UTF_8))
                .add("schema", "1".getBytes(UTF_8));
        return publish(record) + "; see Parked.";
    }

    /** @throws HttpProblem 409 while there is no event */
    String duplicate() throws InterruptedException, ExecutionException, TimeoutException {
        var newest = newest();
        if (newest.isEmpty()) {
            throw Problem.of(409, "There is no event yet. Place an order first.");
        }
        var event = newest.get();
        return publish(new ProducerRecord<>(TOPIC, event.partition(), event.key(), event.value(), event.headers()))
                + ", as at offset " + event.offset() + ".";
    }

    /** Returns where it is. */
    private String publish(ProducerRecord<String, byte[]> record)
            throws InterruptedException, ExecutionException, TimeoutException {
        var settings = new HashMap<>(platform.adminSettings());
        settings.put("delivery.timeout.ms", 5_000);
        settings.put("request.timeout.ms", 3_000);
        settings.put("linger.ms", 0);
        settings.put("max.block.ms", 5_000);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            var written = producer.send(record).get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            return "partition " + written.partition() + ", offset " + written.offset();
        }
    }

    private Optional<ConsumerRecord<String, byte[]>> newest() {
        var settings = new HashMap<>(platform.adminSettings());
        settings.put("default.api.timeout.ms", 5_000);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            var partitions = consumer.partitionsFor(TOPIC).stream()
                    .map(partition -> new TopicPartition(TOPIC, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.endOffsets(partitions)
                    .forEach((partition, end) -> consumer.seek(partition, Math.max(0, end - NEWEST)));
            ConsumerRecord<String, byte[]> newest = null;
            for (var record : consumer.poll(TIMEOUT)) {
                if (record.value() != null && (newest == null || record.timestamp() > newest.timestamp())) {
                    newest = record;
                }
            }
            return Optional.ofNullable(newest);
        }
    }

    /**
     * Returns how far. A group with members cannot be set back: its service is killed, and the group set back
     * before it has joined again.
     */
    String rewind(String group, DemoPlatform.Part service) throws InterruptedException, ExecutionException {
        try (var admin = platform.admin()) {
            var committed = admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get();
            var earlier = new HashMap<TopicPartition, OffsetAndMetadata>();
            long again = 0;
            for (var partition : committed.entrySet()) {
                long offset = Math.max(0, partition.getValue().offset() - REWOUND);
                again += partition.getValue().offset() - offset;
                earlier.put(partition.getKey(), new OffsetAndMetadata(offset));
            }
            platform.kill(service);
            long deadline = System.nanoTime() + MAX_RESET_TIME.toNanos();
            while (true) {
                try {
                    reset(admin, group, earlier);
                    return again + " records of " + earlier.size() + " partitions are read again.";
                } catch (ExecutionException e) { // most likely a member has joined in between
                    if (System.nanoTime() > deadline) {
                        throw e;
                    }
                }
                TimeUnit.MILLISECONDS.sleep(RESET_PAUSE.toMillis());
            }
        }
    }

    private static void reset(Admin admin, String group, Map<TopicPartition, OffsetAndMetadata> offsets)
            throws InterruptedException, ExecutionException {
        admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
                .all()
                .get();
        admin.alterConsumerGroupOffsets(group, offsets).all().get();
    }
}
