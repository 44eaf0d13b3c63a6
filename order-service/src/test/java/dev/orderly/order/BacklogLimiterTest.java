package dev.orderly.order;

import static dev.orderly.events.PaymentMethod.BALANCE;
import static dev.orderly.events.PaymentMethod.CARD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.PaymentMethod;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** When orders are refused; how many wait is counted by the database, see {@link OrderResourceTest}. */
class BacklogLimiterTest {

    private Instant now = Instant.EPOCH;
    private int undecided;

    private final InstantSource source = () -> now;
    private final Clock clock = source.withZone(ZoneOffset.UTC);

    private final Orders orders = new Orders(null) {
        @Override
        int undecided(PaymentMethod method, Instant from, Instant before, int most) {
            assertThat(before).as("a third of 30 s ago").isEqualTo(now.minusSeconds(10));
            assertThat(from).as("all, or of those let in the latest").isIn(Instant.EPOCH, now.minusSeconds(15));
            return method == BALANCE ? Math.min(undecided, most) : 0;
        }
    };

    private final BacklogLimiter backlog = new BacklogLimiter(orders, clock, Duration.ofSeconds(30));

    @Test
    void all_are_admitted_while_few_wait() throws SQLException {
        assertThat(admitted(BALANCE)).isEqualTo(1000);

        look(99);

        assertThat(admitted(BALANCE)).isEqualTo(1000);
        assertThat(backlog.isTooOld(BALANCE)).isFalse();
    }

    @Test
    void ten_a_second_are_admitted_while_too_many_wait_and_all_who_pay_otherwise() throws SQLException {
        look(100);

        assertThat(admitted(BALANCE)).isEqualTo(10);
        assertThat(admitted(CARD)).isEqualTo(1000);
        assertThat(backlog.isTooOld(BALANCE)).isTrue();

        look(100);

        assertThat(admitted(BALANCE)).isEqualTo(10);
    }

    /** What has waited may have been given up, and its work be ahead of all that comes. */
    @Test
    void that_none_wait_any_more_means_nothing_before_those_admitted_since_could() throws SQLException {
        look(100);
        for (var second = 0; second < 15; second++) {
            look(0);
            assertThat(admitted(BALANCE)).isEqualTo(10);
        }

        look(10);
        assertThat(admitted(BALANCE)).as("of those admitted since, ten wait").isEqualTo(10);

        look(9);
        assertThat(admitted(BALANCE)).isEqualTo(1000);
    }

    /** A second later. */
    private void look(int waiting) throws SQLException {
        now = now.plusSeconds(1);
        undecided = waiting;
        backlog.look();
    }

    private long admitted(PaymentMethod method) {
        return IntStream.range(0, 1000).filter(_ -> backlog.admits(method)).count();
    }
}
