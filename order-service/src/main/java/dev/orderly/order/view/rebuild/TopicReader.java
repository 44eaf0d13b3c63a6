package dev.orderly.order.view.rebuild;

import static java.util.stream.Collectors.toMap;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads a topic from its beginning up to given offsets, in batches that merge its partitions by time. */
final class TopicReader implements AutoCloseable {

    /** Records of one batch. */
    private static final int MAX_BATCH = 500;

    private static final Duration POLL_TIMEOUT = Duration.ofMillis(100);

    private final String topic;
    private final KafkaConsumer<String, byte[]> consumer;
    private final List<TopicPartition> partitions;
    private final Map<TopicPartition, Long> beginning;
    private final Map<TopicPartition, Deque<ConsumerRecord<String, byte[]>>> fetched = new HashMap<>();

    /** @param group whose committed offsets it reads; it is no member of the group and commits nothing */
    TopicReader(Map<String, Object> kafka, String topic, String group) {
        var config = new HashMap<>(kafka);
        config.put("group.id", group);
        config.put("client.id", "order-view-rebuild-consumer");
        config.put("enable.auto.commit", false);
        // Fail when retention deletes what is still to be read: it would be missing in the view.
        config.put("auto.offset.reset", "none");
        config.put("isolation.level", "read_committed");
        config.put("max.poll.records", MAX_BATCH);
        this.topic = topic;
        this.consumer = new KafkaConsumer<>(config, new StringDeserializer(), new ByteArrayDeserializer());
        try {
            this.partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            this.beginning = consumer.beginningOffsets(partitions);
            partitions.forEach(partition -> fetched.put(partition, new ArrayDeque<>()));
            consumer.assign(partitions);
            beginning.forEach(consumer::seek);
        } catch (RuntimeException e) {
            consumer.close(); // nobody else can: the caller gets no reader
            throw e;
        }
    }

    @Override
    public void close() {
        consumer.close();
    }

    /** Where reading began. */
    Map<TopicPartition, Long> beginning() {
        return beginning;
    }

    /** Where reading goes on. */
    Map<TopicPartition, Long> position() {
        return partitions.stream().collect(toMap(partition -> partition, this::next));
    }

    Map<TopicPartition, Long> end() {
        return consumer.endOffsets(partitions);
    }

    /** How far the group has come. */
    Map<TopicPartition, Long> committed() {
        var committed = new HashMap<TopicPartition, Long>();
        consumer.committed(Set.copyOf(partitions))
                .forEach((partition, offset) -> committed.put(partition, offset == null ? 0 : offset.offset()));
        return committed;
    }

    /** Whether partitions were added since reading began. */
    boolean hasGrown() {
        return consumer.listTopics().get(topic).size() != partitions.size();
    }

    void readTo(Map<TopicPartition, Long> goal, Consumer<List<ConsumerRecord<String, byte[]>>> sink) {
        while (partitions.stream().anyMatch(partition -> next(partition) < goal.get(partition))) {
            consumer.resume(partitions);
            consumer.pause(partitions.stream()
                    .filter(partition -> !fetched.get(partition).isEmpty())
                    .toList());
            consumer.poll(POLL_TIMEOUT)
                    .forEach(record -> fetched.get(new TopicPartition(record.topic(), record.partition()))
                            .add(record));
            sink.accept(oldestFetched(goal));
        }
    }

    /** The offset of the next record for the sink. */
    private long next(TopicPartition partition) {
        var waiting = fetched.get(partition);
        return waiting.isEmpty()
                ? consumer.position(partition)
                : waiting.getFirst().offset();
    }

    /**
     * In the order of time over all partitions: when the topic grew, an order may have gone on in another
     * partition. So a batch ends where the next record of a partition is not fetched yet.
     */
    private List<ConsumerRecord<String, byte[]>> oldestFetched(Map<TopicPartition, Long> goal) {
        var batch = new ArrayList<ConsumerRecord<String, byte[]>>();
        while (batch.size() < MAX_BATCH) {
            Deque<ConsumerRecord<String, byte[]>> oldest = null;
            for (var partition : partitions) {
                var waiting = fetched.get(partition);
                if (next(partition) >= goal.get(partition)) {
                    continue;
                }
                if (waiting.isEmpty()) {
                    return batch;
                }
                if (oldest == null
                        || waiting.getFirst().timestamp() < oldest.getFirst().timestamp()) {
                    oldest = waiting;
                }
            }
            if (oldest == null) {
                return batch;
            }
            batch.add(oldest.removeFirst());
        }
        return batch;
    }
}
