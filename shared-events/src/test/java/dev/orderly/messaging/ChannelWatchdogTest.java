package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.reactive.messaging.health.HealthReport;
import io.smallrye.reactive.messaging.providers.extension.HealthCenter;
import org.junit.jupiter.api.Test;

class ChannelWatchdogTest {

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private HealthReport liveness = HealthReport.OK_INSTANCE;
    private boolean ended;

    private final ChannelWatchdog watchdog =
            new ChannelWatchdog(
                    new HealthCenter() {
                        @Override
                        public HealthReport getLiveness() {
                            return liveness;
                        }
                    },
                    metrics) {
                @Override
                void exit() {
                    ended = true;
                }
            };

    @Test
    void the_process_ends_when_one_of_its_channels_has_failed() {
        liveness = HealthReport.builder().add("orders", true).build();
        watchdog.check();
        assertThat(ended).isFalse();

        liveness = HealthReport.builder()
                .add("orders", true)
                .add("order-view", false, "closed")
                .build();
        watchdog.check();

        assertThat(ended).isTrue();
        assertThat(metrics.get("orderly.channels.failed").gauge().value()).isEqualTo(1);
    }

    @Test
    void a_channel_that_fails_while_the_process_stops_does_not_matter() {
        liveness = HealthReport.builder().add("orders", false, "stopped").build();
        watchdog.stop(new ShutdownEvent());
        watchdog.check();

        assertThat(ended).isFalse();
    }
}
