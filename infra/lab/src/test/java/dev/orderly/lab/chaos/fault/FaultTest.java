package dev.orderly.lab.chaos.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.lab.chaos.fault.Fault.Kind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The same seed breaks the same things at the same times. */
class FaultTest {

    private static final int NUMBER = 200;
    private static final Duration PAUSE = Duration.ofSeconds(3);

    @Test
    void a_schedule_is_determined_by_its_seed() {
        var schedule = schedule(7);

        assertThat(schedule(7)).isEqualTo(schedule);
        assertThat(schedule(8)).isNotEqualTo(schedule);
    }

    @Test
    void every_kind_comes_up_before_any_comes_up_again() {
        var schedule = schedule(7);

        assertThat(schedule.subList(0, Kind.all().size()))
                .extracting(Fault::kind)
                .containsExactlyInAnyOrderElementsOf(Kind.all());
        assertThat(schedule.getLast().at()).isBetween(Duration.ofMinutes(9), Duration.ofMinutes(11));
    }

    private static List<Fault> schedule(long seed) {
        return Fault.schedule(seed, PAUSE, Kind.all()).limit(NUMBER).toList();
    }

    @Test
    void kinds_are_chosen_by_name() {
        assertThat(Fault.kinds(List.of("kill-broker", "poison"))).containsExactly(Kind.KILL_BROKER, Kind.POISON);
        assertThat(Fault.kinds(List.of("all")))
                .containsExactlyElementsOf(Kind.all())
                .doesNotContain(Kind.NOTHING);
        assertThat(Fault.kinds(List.of("poison", "nothing"))).containsExactly(Kind.POISON, Kind.NOTHING);
        assertThat(Fault.kinds(List.of("-power-cut")))
                .doesNotContain(Kind.POWER_CUT)
                .hasSize(Kind.all().size() - 1);
        assertThat(Fault.kinds(List.of("none"))).isEmpty();
        assertThatThrownBy(() -> Fault.kinds(List.of("kill-joy"))).hasMessageContaining("no such fault: kill-joy");
    }
}
