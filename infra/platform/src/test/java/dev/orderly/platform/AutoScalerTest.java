package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.AutoScaler.Step;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AutoScalerTest {

    private static final String BACKLOG = "BacklogAbove80Percent";
    private static final String SPARE = "InstanceToSpare";

    @Test
    void a_backlog_that_stays_has_instances_added_then_partitions_then_instances_up_to_the_maximum() {
        var steps = new ArrayList<Step>();
        int instances = 1;
        int partitions = 3;
        do {
            steps.add(AutoScaler.next(BACKLOG, instances, partitions, true));
            switch (steps.getLast()) {
                case ADD_INSTANCE -> instances++;
                case ADD_PARTITIONS -> partitions = AutoScaler.MAX_PARTITIONS;
                case REMOVE_INSTANCE, NONE -> {}
            }
        } while (steps.getLast() != Step.NONE);

        assertThat(steps)
                .containsExactlyElementsOf(List.of(
                        Step.ADD_INSTANCE, Step.ADD_INSTANCE, Step.ADD_PARTITIONS, Step.ADD_INSTANCE, Step.NONE));
    }

    @Test
    void partitions_that_cannot_be_added_now_are_not_tried_again_with_each_report() {
        assertThat(AutoScaler.next(BACKLOG, 3, 3, false)).isEqualTo(Step.NONE);
        assertThat(AutoScaler.next(BACKLOG, 2, 3, false)).isEqualTo(Step.ADD_INSTANCE);
    }

    @Test
    void the_first_instance_is_never_taken_away() {
        assertThat(AutoScaler.next(SPARE, 3, 12, true)).isEqualTo(Step.REMOVE_INSTANCE);
        assertThat(AutoScaler.next(SPARE, 1, 12, true)).isEqualTo(Step.NONE);
    }

    @Test
    void an_alert_that_is_not_about_load_changes_nothing() {
        assertThat(AutoScaler.next("TargetDown", 1, 3, true)).isEqualTo(Step.NONE);
    }
}
