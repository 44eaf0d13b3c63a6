package dev.orderly.console.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class LagTest {

    private static final TopicPartition PARTITION = new TopicPartition("order-service", 0);

    @Test
    void a_group_is_behind_since_the_first_record_that_it_has_not_read() {
        var ends = new EndOffsets();
        ends.add(1_000, Map.of(PARTITION, 10L));
        ends.add(2_000, Map.of(PARTITION, 20L));
        ends.add(3_000, Map.of(PARTITION, 20L));
        ends.add(4_000, Map.of(PARTITION, 30L));

        assertThat(ends.secondsBehind(PARTITION, 30, 5_000)).isZero();
        assertThat(ends.secondsBehind(PARTITION, 20, 5_000)).isEqualTo(1.0);
        assertThat(ends.secondsBehind(PARTITION, 19, 5_000)).isEqualTo(3.0);
        assertThat(ends.secondsBehind(PARTITION, 0, 5_000)).as("at least").isEqualTo(4.0);
    }

    @Test
    void what_is_older_than_the_history_is_dropped_but_for_how_long_the_partition_was_then() {
        var ends = new EndOffsets();
        ends.add(0, Map.of(PARTITION, 10L));
        ends.add(1_000, Map.of(PARTITION, 20L));
        ends.add(2_000_000, Map.of(PARTITION, 20L));

        assertThat(ends.secondsBehind(PARTITION, 15, 2_000_000)).isEqualTo(1_999.0);
    }

    @Test
    void the_history_has_a_gap_where_a_group_did_not_exist() {
        var history = new LagHistory();
        history.add(1, List.of(group("a", 1)));
        history.add(2, List.of(group("a", 2), group("b", 3)));

        var shown = history.history();

        assertThat(shown.at()).containsExactly(1L, 2L);
        assertThat(shown.groups().get("a").lag()).containsExactly(1L, 2L);
        assertThat(shown.groups().get("b").lag()).containsExactly(null, 3L);
    }

    private static Groups.Group group(String name, long lag) {
        return new Groups.Group(name, true, "Stable", 1, lag, 0, List.of());
    }
}
