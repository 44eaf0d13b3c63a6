package dev.orderly.console.live;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/**
 * When each partition was how long: so a group's distance in records is also one in time, without reading the
 * record that it would read next.
 */
final class EndOffsets {

    private static final Duration KEPT = Duration.ofMinutes(15);

    private final Map<TopicPartition, Deque<Sample>> samples = new HashMap<>();

    private record Sample(long at, long end) {}

    void add(long at, Map<TopicPartition, Long> ends) {
        ends.forEach((partition, end) -> {
            var past = samples.computeIfAbsent(partition, _ -> new ArrayDeque<>());
            if (past.isEmpty() || past.getLast().end != end) {
                past.addLast(new Sample(at, end));
            }
            // The last of those that are older stays: it says how long the partition was when they ended.
            while (past.size() > 1 && past.peekFirst().at < at - KEPT.toMillis()) {
                past.removeFirst();
            }
        });
    }

    /** For how long, in seconds, there has been a record that is not read yet; at least, if all are older. */
    double secondsBehind(TopicPartition partition, long committed, long now) {
        return samples.getOrDefault(partition, new ArrayDeque<>()).stream()
                .filter(sample -> sample.end > committed)
                .findFirst()
                .map(sample -> (now - sample.at) / 1000.0)
                .orElse(0.0);
    }
}
