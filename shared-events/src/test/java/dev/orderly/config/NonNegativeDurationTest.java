package dev.orderly.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NonNegativeDurationTest {

    @ParameterizedTest
    @ValueSource(strings = {"-2M", "-1", "PT-1S", "soon"})
    void a_service_does_not_start_with_a_duration_that_makes_no_sense(String value) {
        assertThatThrownBy(() -> read(value)).hasMessageContaining("orderly.order.deadline");
    }

    @Test
    void durations_are_written_as_everywhere_in_quarkus() {
        assertThat(read("2M")).isEqualTo(Duration.ofMinutes(2));
        assertThat(read("0S")).isZero();
    }

    private static Duration read(String deadline) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withDefaultValue("orderly.order.deadline", deadline)
                .build()
                .getValue("orderly.order.deadline", Duration.class);
    }
}
