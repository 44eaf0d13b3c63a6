package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.notification.DeliveryAttempt.Outcome;
import dev.orderly.notification.Message.Kind;
import dev.orderly.notification.Notification.State;
import java.time.Duration;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeliveryAttemptTest {

    private static final String TO = "ann@shop.example";

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "3, 4", "9, 256", "10, 512", "11, 600", "12, 600", "149, 600"})
    void a_failure_is_tried_again_after_a_pause_that_doubles_up_to_ten_minutes(int number, long seconds) {
        var attempt = attempt(number);

        assertThat(attempt.failed("connection refused"))
                .isEqualTo(new Outcome(attempt, State.PENDING, Duration.ofSeconds(seconds), "connection refused"));
    }

    @Test
    void the_last_failure_gives_up_and_says_why() {
        var attempt = attempt(DeliveryAttempt.MAX);

        assertThat(attempt.failed("mailbox unknown"))
                .isEqualTo(new Outcome(attempt, State.FAILED, Duration.ZERO, "mailbox unknown"));
    }

    @Test
    void giving_up_takes_about_a_day() {
        var pauses = IntStream.range(1, DeliveryAttempt.MAX)
                .mapToObj(number -> attempt(number).failed("").pause())
                .reduce(Duration.ZERO, Duration::plus);

        assertThat(pauses).isBetween(Duration.ofHours(23), Duration.ofHours(25));
    }

    @Test
    void a_success_leaves_nothing_to_do() {
        var attempt = attempt(3);

        assertThat(attempt.succeeded()).isEqualTo(new Outcome(attempt, State.SENT, Duration.ZERO, null));
    }

    @Test
    void what_a_mail_server_says_is_stored_as_one_line_of_bounded_length() {
        assertThat(attempt(1).failed("550 no\r\n\0 550 " + "x".repeat(10_000)).error())
                .hasSize(500)
                .startsWith("550 no 550 x");
    }

    @Test
    void what_the_server_said_is_kept_without_the_address() {
        assertThat(attempt(1).failed("550 no mailbox of " + TO + " here").error())
                .isEqualTo("550 no mailbox of … here");
    }

    private static DeliveryAttempt attempt(int number) {
        return new DeliveryAttempt(
                new Message(UUID.randomUUID(), Kind.CONFIRMED, UUID.randomUUID(), "subject", "body", null), TO, number);
    }
}
