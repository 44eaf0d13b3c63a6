package dev.orderly.lab.chaos.check;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.lab.chaos.check.SystemSnapshot.OffsetCommit;
import dev.orderly.lab.chaos.fault.Disturbances.ConsumerPosition;
import dev.orderly.testkit.RunningPlatform;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads whole topics. */
public final class TopicReader {
    private static final Duration MAX_SILENCE = Duration.ofSeconds(5);

    private TopicReader() {}

    /** Each partition in its order, from its beginning to its present end. */
    public static void readToEnd(
            RunningPlatform system, Predicate<String> topics, Consumer<ConsumerRecord<byte[], byte[]>> reader) {
        try (var consumer = new KafkaConsumer<>(
                system.kafka(Map.of("max.poll.records", 5000)),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            var partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic -> topics.test(topic.getKey()))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + MAX_SILENCE.toNanos();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                var records = consumer.poll(Duration.ofMillis(500));
                records.forEach(reader);
                deadline = records.isEmpty() ? deadline : System.nanoTime() + MAX_SILENCE.toNanos();
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the topics cannot be read to their ends");
                }
            }
        }
    }

    /** Every commit that Kafka has not compacted, not only the last of each group. */
    static List<OffsetCommit> offsetCommits(RunningPlatform system) {
        var commits = new ArrayList<OffsetCommit>();
        var generations = new HashMap<String, Integer>();
        readToEnd(system, "__consumer_offsets"::equals, record -> {
            if (record.value() == null) {
                return; // a tombstone of what has expired
            }
            // All versions of a value begin alike.
            var key = ByteBuffer.wrap(record.key());
            var value = ByteBuffer.wrap(record.value()).position(Short.BYTES);
            switch (key.getShort()) {
                case 0, 1 -> {
                    var group = string(key);
                    var partition = new TopicPartition(string(key), key.getInt());
                    var position = new ConsumerPosition(group, partition, value.getLong());
                    commits.add(new OffsetCommit(position, generations.getOrDefault(group, 0)));
                }
                case 2 -> {
                    string(value); // the protocol of the group
                    generations.put(string(key), value.getInt());
                }
                default -> {} // of kinds of groups that the services do not use
            }
        });
        return commits;
    }

    private static String string(ByteBuffer buffer) {
        var bytes = new byte[buffer.getShort()];
        buffer.get(bytes);
        return new String(bytes, UTF_8);
    }
}
