package dev.orderly.flashsale;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BurstGateTest {

    private static final Instant FAR = Instant.parse("2099-01-01T00:00:00Z");

    private final AtomicLong come = new AtomicLong();

    @Test
    void without_a_crowd_nobody_waits_for_longer_than_it_takes_to_look() throws Exception {
        new BurstGate(come::incrementAndGet, Clock.systemUTC()).letPass(FAR);

        assertThat(come).hasValue(2);
    }

    @Test
    void a_crowd_is_let_pass_until_it_is_gone() throws Exception {
        var comeSoFar = List.of(0, 100, 100, 150, 150, 160).iterator();

        new BurstGate(comeSoFar::next, Clock.systemUTC()).letPass(FAR);

        assertThat(comeSoFar).isExhausted();
    }

    @Test
    void a_crowd_that_stays_is_let_pass_until_the_end_and_not_longer() throws Exception {
        var end = Instant.now().plus(Duration.ofMillis(800));

        new BurstGate(() -> come.addAndGet(1000), Clock.systemUTC()).letPass(end);

        assertThat(Instant.now()).isAfterOrEqualTo(end);
        assertThat(come.get())
                .as("two looks of 500 ms, at the begin and the end of each")
                .isLessThanOrEqualTo(4 * 1000);
    }

    @Test
    void when_the_end_is_over_nobody_looks() throws Exception {
        new BurstGate(come::incrementAndGet, Clock.systemUTC()).letPass(Instant.now());

        assertThat(come).hasValue(0);
    }
}
