package dev.orderly.flashsale;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;

class BurstGateTest {

    private static final Instant NEVER = Instant.MAX;

    private Instant now = Instant.EPOCH;

    private final InstantSource source = () -> now;
    private final Clock clock = source.withZone(ZoneOffset.UTC);
    private long requests;

    @Test
    void without_a_burst_the_wait_is_one_sample() throws Exception {
        gate(() -> 1).awaitCalm(NEVER);

        assertThat(now).isEqualTo(afterSamples(1));
    }

    @Test
    void a_burst_is_waited_for_until_fewer_than_a_hundred_requests_a_second_arrive() throws Exception {
        var requestsSoFar = List.of(0L, 100L, 100L, 150L, 150L, 199L).iterator();

        gate(requestsSoFar::next).awaitCalm(NEVER);

        assertThat(requestsSoFar).isExhausted();
        assertThat(now).isEqualTo(afterSamples(3));
    }

    @Test
    void a_burst_without_end_is_waited_for_until_the_given_time_and_no_longer() throws Exception {
        gate(() -> requests += 1000).awaitCalm(Instant.EPOCH.plusMillis(800));

        assertThat(now).isEqualTo(afterSamples(2));
    }

    @Test
    void after_the_given_time_nothing_is_sampled() throws Exception {
        gate(() -> requests += 1000).awaitCalm(now);

        assertThat(now).isEqualTo(afterSamples(0));
        assertThat(requests).isZero();
    }

    private BurstGate gate(LongSupplier arrived) {
        return new BurstGate(arrived, clock, pause -> now = now.plus(pause));
    }

    private static Instant afterSamples(int samples) {
        return Instant.EPOCH.plus(BurstGate.SAMPLE_INTERVAL.multipliedBy(samples));
    }
}
