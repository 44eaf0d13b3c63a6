package dev.orderly.platform.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ErrorLogSummaryTest {
    @Test
    void the_last_complaint_of_a_log_is_its_meaningful_line() {
        assertThat(ErrorLogSummary.meaningful(List.of(
                        "10:00 INFO  starting",
                        "10:01 ERROR no space left on device",
                        "java.io.IOException: No space left",
                        "\tat java.base/Files.write(Files.java:1)",
                        "\t... 12 more",
                        "10:02 INFO  shutting down")))
                .contains("java.io.IOException: No space left");
        assertThat(ErrorLogSummary.meaningful(List.of("one", "two", ""))).contains("two");
        assertThat(ErrorLogSummary.meaningful(List.of())).isEmpty();
    }
}
