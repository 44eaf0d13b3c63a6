package dev.orderly.lab.chaos.fault;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicPartition;

/**
 * What faults did, or may have done, that excuses what would be a violation otherwise.
 *
 * @param powerCuts until the launcher had started everything again
 * @param rewinds the positions to which groups were reset
 * @param lostSlots the databases whose replication slot was dropped
 * @param republished how many records of the topic were sent to it a second time
 */
public record Disturbances(
        List<TimeSpan> powerCuts, Set<ConsumerPosition> rewinds, Set<String> lostSlots, AtomicLong republished) {

    /** How far a consumer group has read a partition. */
    public record ConsumerPosition(String group, TopicPartition partition, long offset) {}

    public Disturbances() {
        this(
                new CopyOnWriteArrayList<>(),
                ConcurrentHashMap.newKeySet(),
                ConcurrentHashMap.newKeySet(),
                new AtomicLong());
    }
}
