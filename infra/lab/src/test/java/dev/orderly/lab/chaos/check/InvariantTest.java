package dev.orderly.lab.chaos.check;

import static dev.orderly.lab.chaos.check.Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.aQuietShop;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.lab.chaos.workload.TestPerson;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each check accepts a small snapshot in which every promise was kept, and sees the one thing that is wrong.
 */
class InvariantTest {

    @Test
    void a_history_in_which_every_promise_was_kept_violates_none() {
        var snapshot = aQuietShop().build();

        for (var invariant : Invariant.values()) {
            assertThat(invariant.violations(snapshot)).as(invariant.name()).isEmpty();
        }
    }

    @Test
    void duplicates_on_the_topic_violate_nothing() {
        var snapshot = aQuietShop().withTheTopicOnceMore().build();

        for (var invariant : Invariant.values()) {
            assertThat(invariant.violations(snapshot)).as(invariant.name()).isEmpty();
        }
    }

    @Test
    void an_order_may_be_late_while_the_service_that_decides_it_was_down() {
        var snapshot = aQuietShop()
                .withOrderConfirmedAfter(Duration.ofSeconds(100))
                .withOutage(20, 75)
                .build();

        assertThat(I14_ORDERS_ARE_DECIDED_IN_TIME.violations(snapshot)).isEmpty();
    }

    @Test
    void people_are_found_by_name_and_mail_and_phone_and_in_what_is_printed_as_hex_digits() {
        var person = new TestPerson(12);
        var values = person.registration().values();

        assertThat(values).allSatisfy(value -> {
            assertThat(TestPerson.in("x" + value + "x")).containsExactly(person);
            var hex = HexFormat.of().formatHex(value.getBytes(StandardCharsets.UTF_8));
            assertThat(TestPerson.in("(\\x" + hex + ")")).containsExactly(person);
            assertThat("x" + value + "x").containsPattern(TestPerson.ANY);
            assertThat("(\\x" + hex + ")").containsPattern(TestPerson.ANY);
        });
        assertThat(TestPerson.in("an order of 4915599")).isEmpty();
    }

    @ParameterizedTest
    @MethodSource({
        "dev.orderly.lab.chaos.check.BrokenPromises#about_orders",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_money",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_stock",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_events",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_the_view",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_time",
        "dev.orderly.lab.chaos.check.BrokenPromises#about_privacy",
    })
    void each_broken_promise_is_seen(Invariant invariant, UnaryOperator<SnapshotBuilder> damage) {
        var snapshot = damage.apply(aQuietShop()).build();

        assertThat(invariant.violations(snapshot)).isNotEmpty();
    }
}
