package dev.orderly.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullAndEmptySource;
import org.junit.jupiter.params.provider.ValueSource;

class TraceparentTest {

    private static final String VALID = "00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]";

    @ParameterizedTest
    @ValueSource(strings = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"})
    void a_step_stays_in_its_trace_and_keeps_its_sampling(String parent) {
        var next = Traceparent.following(parent);

        assertThat(next).matches(VALID).startsWith(parent.substring(0, 36)).endsWith("-00");
        assertThat(next).isNotEqualTo(parent);
    }

    @ParameterizedTest
    @NullAndEmptySource
    @ValueSource(
            strings = {
                "garbage",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
            })
    void what_is_no_trace_starts_a_new_one_that_is_not_sampled(String parent) {
        assertThat(Traceparent.following(parent))
                .matches(VALID)
                .endsWith("-00")
                .isNotEqualTo(Traceparent.following(parent));
        assertThat(Traceparent.isSampled(parent)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"00, false", "01, true", "02, false", "03, true", "0a, false", "ff, true"})
    void the_last_bit_says_whether_it_is_sampled(String flags, boolean sampled) {
        var traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-" + flags;

        assertThat(Traceparent.isSampled(traceparent)).isEqualTo(sampled);
        assertThat(Traceparent.of(Traceparent.context(traceparent))).isEqualTo(traceparent);
    }
}
