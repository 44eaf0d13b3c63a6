package dev.orderly.messaging;

import static java.util.stream.Collectors.toSet;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/**
 * How far the topics of an outbox are read, over all instances, and where they end.
 *
 * @param read at least the beginning: what retention has deleted is not to be read
 */
record Offsets(Map<TopicPartition, Long> read, Map<TopicPartition, Long> ends) {

    /** Short, since it blocks the thread that polls. */
    private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(2);

    /**
     * By the positions that are recorded with what was read. The group's committed offsets count only where
     * there is none yet: they expire, and a group that is reset has not lost what it has read.
     */
    static Offsets of(Consumer<?, ?> consumer, Map<TopicPartition, Long> positions) {
        var partitions = consumer.subscription().stream()
                .flatMap(topic -> consumer.partitionsFor(topic, BROKER_TIMEOUT).stream())
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .collect(toSet());
        var read = new HashMap<>(consumer.beginningOffsets(partitions, BROKER_TIMEOUT));
        var unknown = partitions.stream()
                .filter(partition -> !positions.containsKey(partition))
                .collect(toSet());
        if (!unknown.isEmpty()) {
            consumer.committed(unknown, BROKER_TIMEOUT).forEach((partition, committed) -> {
                if (committed != null) {
                    read.merge(partition, committed.offset(), Math::max);
                }
            });
        }
        partitions.forEach(partition -> read.merge(partition, positions.getOrDefault(partition, 0L), Math::max));
        return new Offsets(read, consumer.endOffsets(partitions, BROKER_TIMEOUT));
    }

    /** The positions after these records. */
    static Map<TopicPartition, Long> after(ConsumerRecords<?, ?> records) {
        var positions = new HashMap<TopicPartition, Long>();
        records.forEach(
                record -> positions.put(new TopicPartition(record.topic(), record.partition()), record.offset() + 1));
        return positions;
    }

    /** Partitions that have lost records: they end before what was read of them. */
    Set<TopicPartition> truncated() {
        return truncated(ends);
    }

    /** Whether that is so by the ends of another check. */
    boolean isTruncated(Map<TopicPartition, Long> otherEnds) {
        return !truncated(otherEnds).isEmpty();
    }

    private Set<TopicPartition> truncated(Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream()
                .filter(end -> end.getValue() < read.getOrDefault(end.getKey(), 0L))
                .map(Map.Entry::getKey)
                .collect(toSet());
    }

    /** Whether all is read up to these ends of an earlier check. */
    boolean passed(Map<TopicPartition, Long> earlier) {
        return ends.keySet().stream()
                .allMatch(partition ->
                        earlier.containsKey(partition) && read.getOrDefault(partition, 0L) >= earlier.get(partition));
    }
}
