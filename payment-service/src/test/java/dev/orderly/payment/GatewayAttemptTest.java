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
    void the_next_comes_after_a_pause_that_doubles_up_to_a_minute_and_is_never_the_same(
            int number, long shortest, long longest) {
        var attempt = attempt(number);

        assertThat(attempt.pause(0)).hasMillis(shortest);
        assertThat(attempt.pause(0.5)).hasMillis((shortest + longest) / 2);
        assertThat(attempt.pause(1)).hasMillis(longest);
    }

    @Test
    void it_is_never_given_up_but_somebody_hears_of_it_now_and_then() {
        assertThat(attempt(1).isAlarming()).isFalse();
        assertThat(attempt(19).isAlarming()).isFalse();
        assertThat(attempt(20).isAlarming()).isTrue();
        assertThat(attempt(21).isAlarming()).isFalse();
        assertThat(attempt(400).isAlarming()).isTrue();
    }

    private static GatewayAttempt attempt(int number) {
        return new GatewayAttempt(Payment.expected(UUID.randomUUID(), UUID.randomUUID()), number);
    }
}
