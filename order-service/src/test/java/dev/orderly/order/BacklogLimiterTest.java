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

/** When orders are shed; {@link OrderResourceTest} has the query that counts the undecided. */
class BacklogLimiterTest {

    private Instant now = Instant.EPOCH;
    private int undecided;

    private final InstantSource source = () -> now;
    private final Clock clock = source.withZone(ZoneOffset.UTC);

    private final Orders orders = new Orders(null, null, null, null) {
        @Override
        int countUndecided(PaymentMethod method, Duration minAge, Duration maxAge, int max) {
            assertThat(minAge).as("a third of 30 s").hasSeconds(10);
            assertThat(maxAge).as("all, or the latest probes").isIn(Duration.ofDays(36_500), Duration.ofSeconds(15));
            return method == BALANCE ? Math.min(undecided, max) : 0;
        }
    };

    private final BacklogLimiter backlog = new BacklogLimiter(orders, clock, Duration.ofSeconds(30));

    @Test
    void all_are_admitted_while_few_are_overdue() throws SQLException {
        assertThat(admitted(BALANCE)).isEqualTo(1000);

        refresh(99);

        assertThat(admitted(BALANCE)).isEqualTo(1000);
        assertThat(backlog.isOverloaded(BALANCE)).isFalse();
    }

    @Test
    void ten_a_second_are_admitted_under_overload_and_all_of_another_payment_method() throws SQLException {
        refresh(100);

        assertThat(admitted(BALANCE)).isEqualTo(10);
        assertThat(admitted(CARD)).isEqualTo(1000);
        assertThat(backlog.isOverloaded(BALANCE)).isTrue();

        refresh(100);

        assertThat(admitted(BALANCE)).isEqualTo(10);
    }

    /** The overdue orders may have timed out, while their compensation is still ahead of any new order. */
    @Test
    void that_none_are_overdue_means_nothing_before_the_probes_have_had_their_time() throws SQLException {
        refresh(100);
        for (var second = 0; second < 15; second++) {
            refresh(0);
            assertThat(admitted(BALANCE)).isEqualTo(10);
        }

        refresh(10);
        assertThat(admitted(BALANCE)).as("ten of the probes are overdue").isEqualTo(10);

        refresh(9);
        assertThat(admitted(BALANCE)).isEqualTo(1000);
    }

    /** A second later. */
    private void refresh(int overdue) throws SQLException {
        now = now.plusSeconds(1);
        undecided = overdue;
        backlog.refresh();
    }

    private long admitted(PaymentMethod method) {
        return IntStream.range(0, 1000).filter(_ -> backlog.tryAdmit(method)).count();
    }
}
