package dev.orderly.platform.kafka;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.utils.Utils;

/**
 * The topic in which brokers store what groups commit. No request says when a group last committed; the
 * record of that commit does, by its timestamp.
 */
final class CommittedOffsets implements AutoCloseable {
    private static final String TOPIC = "__consumer_offsets";
    /** Versions of a key; others are of a group's members. */
    private static final int MAX_OFFSET_KEY = 1;

    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** Read back from the end in steps that double: a group that is alive has committed lately. */
    private static final long FIRST_STEP = 2_000;

    private final KafkaConsumer<byte[], byte[]> consumer;

    CommittedOffsets(Map<String, Object> login) {
        var settings = new HashMap<>(login);
        settings.put("auto.offset.reset", "earliest");
        this.consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    Map<String, Instant> lastCommits(Collection<String> groups) {
        int partitions = consumer.partitionsFor(TOPIC).size();
        var byPartition = new HashMap<Integer, Set<String>>();
        for (String group : groups) {
            byPartition
                    .computeIfAbsent(Utils.abs(group.hashCode()) % partitions, _ -> new HashSet<>())
                    .add(group);
        }
        var commits = new HashMap<String, Instant>();
        byPartition.forEach((partition, ofPartition) ->
                commits.putAll(lastCommits(new TopicPartition(TOPIC, partition), ofPartition)));
        return commits;
    }

    private Map<String, Instant> lastCommits(TopicPartition partition, Set<String> groups) {
        consumer.assign(List.of(partition));
        long beginning = consumer.beginningOffsets(List.of(partition)).get(partition);
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        var commits = new HashMap<String, Instant>();
        for (long step = FIRST_STEP; end > beginning && !commits.keySet().containsAll(groups); step *= 2) {
            long start = Math.max(beginning, end - step);
            var found = commitsBetween(partition, start, end);
            found.keySet().retainAll(groups);
            found.forEach(commits::putIfAbsent); // what was found nearer to the end is later
            end = start;
        }
        return commits;
    }

    private Map<String, Instant> commitsBetween(TopicPartition partition, long start, long end) {
        var commits = new HashMap<String, Instant>();
        consumer.seek(partition, start);
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (consumer.position(partition) < end) {
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("no answer within " + PATIENCE.toSeconds() + " s");
            }
            for (var record : consumer.poll(POLL)) {
                if (record.offset() < end) {
                    groupOf(record).ifPresent(group -> commits.put(group, Instant.ofEpochMilli(record.timestamp())));
                }
            }
        }
        return commits;
    }

    /** The group that commits an offset by the record; empty when it does something else. */
    private static Optional<String> groupOf(ConsumerRecord<byte[], byte[]> record) {
        if (record.key() == null || record.value() == null) {
            return Optional.empty();
        }
        var key = ByteBuffer.wrap(record.key());
        if (key.getShort() > MAX_OFFSET_KEY) {
            return Optional.empty();
        }
        var group = new byte[key.getShort()];
        key.get(group);
        return Optional.of(new String(group, StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        consumer.close();
    }
}
