package dev.orderly.noncore;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.uuid.Generators;
import dev.orderly.noncore.NonCoreWork.Mode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class NonCoreWorkTest {

    private static final Duration MAX = Duration.ofSeconds(20);

    private final UUID order = Generators.timeBasedEpochGenerator().generate();
    private final Instant placed = Instant.ofEpochMilli(order.getMostSignificantBits() >>> 16);
    private Instant now = placed;
    private final InstantSource source = () -> now;
    private final Clock clock = source.withZone(ZoneOffset.UTC);

    private NonCoreWork work(Mode mode) {
        return new NonCoreWork(mode, MAX, clock, new SimpleMeterRegistry());
    }

    @Test
    void it_is_paused_by_an_order_that_is_decided_late_and_goes_on_when_none_has_been_for_a_while() {
        var work = work(Mode.AUTO);

        decideAfter(work, MAX);
        assertThat(work.isPaused()).isFalse();

        decideAfter(work, MAX.plusSeconds(1));
        assertThat(work.isPaused()).isTrue();

        now = now.plus(MAX).minusMillis(1);
        assertThat(work.isPaused()).isTrue();
        now = now.plusMillis(1);
        assertThat(work.isPaused()).isFalse();
    }

    @Test
    void what_was_late_long_ago_and_what_does_not_say_when_it_was_placed_pause_nothing() {
        var work = work(Mode.AUTO);

        now = placed.plus(Duration.ofHours(1));
        work.decided(order, placed.plus(Duration.ofMinutes(2)));
        work.decided(UUID.randomUUID(), now);

        assertThat(work.isPaused()).isFalse();
    }

    @Test
    void an_operator_decides_otherwise() {
        var running = work(Mode.RUN);

        decideAfter(running, Duration.ofMinutes(1));

        assertThat(running.isPaused()).isFalse();
        assertThat(work(Mode.PAUSE).isPaused()).isTrue();
    }

    private void decideAfter(NonCoreWork work, Duration time) {
        now = placed.plus(time);
        work.decided(order, now);
    }
}
