package dev.orderly.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RunningPlatformTest {

    @Test
    void after_a_power_cut_all_options_are_as_before_but_the_state_and_the_ports_stay() {
        var command = List.of(
                "up",
                "--no-console",
                "--free-ports",
                "--fresh",
                "--brokers=1",
                "--tls",
                "--erp-crm",
                "--event-format",
                "avro");

        assertThat(RunningPlatform.commandAgain(command, 4711))
                .containsExactly(
                        "up",
                        "--no-console",
                        "--port-offset=4711",
                        "--brokers=1",
                        "--tls",
                        "--erp-crm",
                        "--event-format",
                        "avro");
    }

    @Test
    void after_a_power_cut_chosen_ports_are_chosen_again() {
        var command = List.of("platform", "--port-offset=100", "--postgres-port=5432");

        assertThat(RunningPlatform.commandAgain(command, -9_910)).isEqualTo(command);
    }
}
