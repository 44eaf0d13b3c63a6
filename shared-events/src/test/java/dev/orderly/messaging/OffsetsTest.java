package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class OffsetsTest {

    private static final TopicPartition PARTITION = new TopicPartition("order-service.dlq", 0);

    @Test
    void what_retention_deleted_unread_is_not_waited_for() {
        var offsets = check(Map.of(), 40, 40);

        assertThat(offsets.truncated()).isEmpty();
        assertThat(offsets.passed(Map.of(PARTITION, 40L))).isTrue();
    }

    @Test
    void what_is_not_read_is_waited_for() {
        var offsets = check(Map.of(PARTITION, 39L), 0, 45);

        assertThat(offsets.passed(Map.of(PARTITION, 40L))).isFalse();
        assertThat(offsets.passed(Map.of(PARTITION, 39L))).isTrue();
        assertThat(offsets.passed(Map.of()))
                .as("a partition that was not there at the earlier check")
                .isFalse();
    }

    @Test
    void a_partition_that_ends_before_what_was_read_has_lost_records() {
        assertThat(check(Map.of(PARTITION, 40L), 0, 39).truncated()).containsExactly(PARTITION);
        assertThat(check(Map.of(PARTITION, 40L), 0, 40).truncated()).isEmpty();
    }

    private static Offsets check(Map<TopicPartition, Long> positions, long beginning, long end) {
        try (var consumer = new MockConsumer<String, byte[]>("earliest")) {
            consumer.subscribe(List.of(PARTITION.topic()));
            consumer.updatePartitions(
                    PARTITION.topic(), List.of(new PartitionInfo(PARTITION.topic(), 0, null, null, null)));
            consumer.updateBeginningOffsets(Map.of(PARTITION, beginning));
            consumer.updateEndOffsets(Map.of(PARTITION, end));
            return Offsets.of(consumer, positions);
        }
    }
}
