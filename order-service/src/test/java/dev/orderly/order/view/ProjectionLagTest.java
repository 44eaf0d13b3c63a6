package dev.orderly.order.view;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class ProjectionLagTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private Instant now = START;

    private final Clock clock = new Clock() {
        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    };

    @Test
    void a_consumer_that_does_not_answer_is_not_one_that_has_caught_up() {
        var lag = new ProjectionLag(null, clock, new SimpleMeterRegistry());

        assertThat(lag.current()).isZero();
        now = START.plusSeconds(60);
        assertThat(lag.current()).isEqualTo(Duration.ofSeconds(60));
    }
}
