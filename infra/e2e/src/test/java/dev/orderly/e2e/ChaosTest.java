package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testkit.OrderlyCommand;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fault injection, for half a minute: the services keep their promises, and mutated ones are found out. */
@Tag("processes")
class ChaosTest {

    @TempDir
    Path data;

    @Test
    void under_faults_every_promise_is_kept() throws IOException, InterruptedException {
        var run = chaos(
                "--seed=3",
                "--minutes=0.4",
                "--rate=20",
                "--every=2",
                "--faults=kill-service,crash-point,kill-broker,kill-walsender,kill-backends,duplicates,poison,"
                        + "restart-connector,rewind-offsets");

        assertThat(run.output()).contains("every promise was kept").doesNotContain("VIOLATED");
        assertThat(run.exitCode()).isZero();
    }

    /** A platform and a minute each, so only when asked for: {@code ./orderly test -Dorderly.chaos=true}. */
    @ParameterizedTest
    @EnabledIfSystemProperty(named = "orderly.chaos", matches = "true")
    @CsvSource({
        "ACKNOWLEDGE_BEFORE_COMMIT, 15, none, I01_ACKNOWLEDGED_ORDERS_EXIST",
        "OFFSETS_BEFORE_COMMIT, 15, none, I10_EVENTS_ARE_SEEN",
        "SWALLOW, 15, none, I10_EVENTS_ARE_SEEN",
        "NO_DEDUPLICATION, 15, duplicates, L03_EFFECTS_ARE_ONCE_AND_IN_ORDER",
        "LOOK_THEN_INSERT, 8, none, L03_EFFECTS_ARE_ONCE_AND_IN_ORDER",
        "REORDER, 15, none, L03_EFFECTS_ARE_ONCE_AND_IN_ORDER",
        "RETRY_BEHIND, 30, none, I20_A_REBUILD_CHANGES_NOTHING",
        "LOSE_SLOT, 15, none, I08_OUTBOX_IS_PUBLISHED",
        "LATE_SLOT, 15, none, I08_OUTBOX_IS_PUBLISHED",
        "FORGET_STOCK, 15, none, I04_STOCK_IS_CONSERVED",
        "FORGET_RESTOCK, 25, none, I17_DEPOSITS_AND_CANCELLATIONS_LAST",
    })
    void a_broken_promise_is_found_out(String mutation, int rate, String faults, String invariant)
            throws IOException, InterruptedException {
        var run = chaos(
                "--mutate=" + mutation,
                "--minutes=0.25",
                "--rate=" + rate,
                "--every=3",
                "--faults=" + faults,
                "--deadline=45");

        assertThat(run.output()).containsPattern(invariant + " +VIOLATED");
        assertThat(run.exitCode()).isEqualTo(1);
    }

    private OrderlyCommand.Result chaos(String... options) throws IOException, InterruptedException {
        var arguments = new ArrayList<>(List.of("chaos", "--data=" + data));
        arguments.addAll(List.of(options));
        return OrderlyCommand.run(arguments.toArray(String[]::new));
    }
}
