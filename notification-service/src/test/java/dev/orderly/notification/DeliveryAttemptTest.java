package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.notification.DeliveryAttempt.DeliveryOutcome;
import dev.orderly.notification.Message.Kind;
import dev.orderly.notification.Notification.State;
import java.time.Duration;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeliveryAttemptTest {

    private static final String RECIPIENT = "ann@shop.example";

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "3, 4", "9, 256", "10, 512", "11, 600", "12, 600", "149, 600"})
    void a_failure_is_retried_with_a_backoff_that_doubles_up_to_ten_minutes(int number, long seconds) {
        var attempt = attempt(number);

        assertThat(attempt.failed("connection refused"))
                .isEqualTo(
                        new DeliveryOutcome(attempt, State.PENDING, Duration.ofSeconds(seconds), "connection refused"));
    }

    @Test
    void the_last_failure_is_final_and_says_why() {
        var attempt = attempt(DeliveryAttempt.MAX_ATTEMPTS);

        assertThat(attempt.failed("mailbox unknown"))
                .isEqualTo(new DeliveryOutcome(attempt, State.FAILED, Duration.ZERO, "mailbox unknown"));
    }

    @Test
    void retries_last_about_a_day() {
        var waited = IntStream.range(1, DeliveryAttempt.MAX_ATTEMPTS)
                .mapToObj(number -> attempt(number).failed("").backoff())
                .reduce(Duration.ZERO, Duration::plus);

        assertThat(waited).isBetween(Duration.ofHours(23), Duration.ofHours(25));
    }

    @Test
    void a_success_needs_no_further_attempt() {
        var attempt = attempt(3);

        assertThat(attempt.succeeded()).isEqualTo(new DeliveryOutcome(attempt, State.SENT, Duration.ZERO, null));
    }

    @Test
    void an_error_is_stored_as_one_line_of_bounded_length() {
        assertThat(attempt(1).failed("550 no\r\n\0 550 " + "x".repeat(10_000)).error())
                .hasSize(500)
                .startsWith("550 no 550 x");
    }

    @Test
    void what_can_never_be_delivered_fails_at_once() {
        var attempt = attempt(1);

        assertThat(attempt.rejected("bad address: " + RECIPIENT))
                .isEqualTo(new DeliveryOutcome(attempt, State.FAILED, Duration.ZERO, "bad address: …"));
    }

    @ParameterizedTest
    @ValueSource(strings = {RECIPIENT, "Ann@Shop.Example", "ANN@SHOP.EXAMPLE"})
    void an_error_is_stored_without_the_recipient_however_the_server_writes_it(String quoted) {
        assertThat(attempt(1).failed("550 no mailbox of <" + quoted + "> here").error())
                .isEqualTo("550 no mailbox of <…> here");
    }

    private static DeliveryAttempt attempt(int number) {
        return new DeliveryAttempt(
                new Message(UUID.randomUUID(), Kind.CONFIRMED, UUID.randomUUID(), "subject", "body", null),
                RECIPIENT,
                number,
                null);
    }
}
