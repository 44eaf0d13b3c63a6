package dev.orderly.payment;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayAttemptTest {

    @ParameterizedTest
    @CsvSource({
        "1, 500, 1000",
        "2, 1000, 2000",
        "3, 2000, 4000",
        "6, 16000, 32000",
        "7, 30000, 60000",
        "8, 30000, 60000",
        "1000000, 30000, 60000"
    })
    void the_backoff_doubles_up_to_a_minute_and_has_jitter(int number, long min, long max) {
        var attempt = attempt(number);

        assertThat(attempt.backoff(0)).hasMillis(min);
        assertThat(attempt.backoff(0.5)).hasMillis((min + max) / 2);
        assertThat(attempt.backoff(1)).hasMillis(max);
    }

    @Test
    void attempts_never_end_and_every_twentieth_alerts_the_operator() {
        assertThat(attempt(1).needsAlert()).isFalse();
        assertThat(attempt(19).needsAlert()).isFalse();
        assertThat(attempt(20).needsAlert()).isTrue();
        assertThat(attempt(21).needsAlert()).isFalse();
        assertThat(attempt(400).needsAlert()).isTrue();
    }

    private static GatewayAttempt attempt(int number) {
        return new GatewayAttempt(Payment.expected(UUID.randomUUID(), UUID.randomUUID()), number, null);
    }
}
