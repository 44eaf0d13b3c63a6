package dev.orderly.messaging;

import static java.util.stream.Collectors.toSet;

import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;

/**
 * How far a consumer group has read its topics, over all instances, and where they end.
 *
 * @param read by partition, at least the beginning: what retention has deleted is not to be read
 * @param ends by partition, behind all that was published by then
 */
public record Offsets(Map<TopicPartition, Long> read, Map<TopicPartition, Long> ends) {

    /** Short, since it blocks the thread that polls. */
    private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(2);

    /** Longer than all that may keep the thread that polls. */
    private static final Duration CHANNEL_TIMEOUT = Duration.ofSeconds(60);

    /**
     * Of the group of a channel; empty while the channel has no consumer. Waits for the thread that polls.
     *
     * @throws RuntimeException when the brokers do not answer, or that thread does not
     */
    public static Optional<Offsets> of(KafkaClientService clients, String channel) {
        return of(clients, channel, Map.of());
    }

    static Optional<Offsets> of(KafkaClientService clients, String channel, Map<TopicPartition, Long> positions) {
        var consumer = clients.getConsumer(channel);
        if (consumer == null) {
            return Optional.empty();
        }
        Function<Consumer<Object, Object>, Offsets> task = polling -> of(polling, positions);
        return Optional.of(consumer.runOnPollingThread(task).await().atMost(CHANNEL_TIMEOUT));
    }

    /** All partitions of the topics that a consumer has subscribed to, those of other instances too. */
    static Set<TopicPartition> partitions(Consumer<?, ?> consumer, Duration timeout) {
        return consumer.subscription().stream()
                .flatMap(topic -> consumer.partitionsFor(topic, timeout).stream())
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .collect(toSet());
    }

    /**
     * By the positions that are recorded with what was read. The group's committed offsets count only where
     * there is none yet: they expire, and a group that is reset has not lost what it has read.
     */
    static Offsets of(Consumer<?, ?> consumer, Map<TopicPartition, Long> positions) {
        var partitions = partitions(consumer, BROKER_TIMEOUT);
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
