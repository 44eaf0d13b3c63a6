package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.internals.AutoOffsetResetStrategy;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StaticMembershipTest {
    private final MockConsumer<String, byte[]> polling = new MockConsumer<>(AutoOffsetResetStrategy.EARLIEST.name());

    @BeforeEach
    void twoPartitions() {
        polling.subscribe(List.of("orders"));
        polling.updatePartitions("orders", List.of(partition(0), partition(1)));
    }

    @Test
    void who_came_back_to_nothing_though_the_topic_exists_again_joins_again() {
        polling.rebalance(List.of());

        assertThat(StaticMembership.hasChecked(polling)).isTrue();

        assertThat(polling.shouldRebalance()).isTrue();
    }

    @Test
    void who_came_back_to_fewer_partitions_than_there_are_joins_again() {
        polling.rebalance(List.of(new TopicPartition("orders", 0)));

        StaticMembership.hasChecked(polling);

        assertThat(polling.shouldRebalance()).isTrue();
    }

    @Test
    void who_came_back_to_all_partitions_goes_on() {
        polling.rebalance(List.of(new TopicPartition("orders", 0), new TopicPartition("orders", 1)));

        StaticMembership.hasChecked(polling);

        assertThat(polling.shouldRebalance()).isFalse();
    }

    private static PartitionInfo partition(int number) {
        return new PartitionInfo("orders", number, null, null, null);
    }
}
