package dev.orderly.lab.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class AvailabilityMonitorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Services that are frozen: they answer no metrics at all. */
    private static final class FrozenServices extends RunningPlatform {
        volatile boolean ready = true;
        volatile Instant lastReady;
        volatile Instant firstNotReady;

        FrozenServices() {
            super(Path.of("unused"), Map.of());
        }

        @Override
        public Optional<String> askManagement(String service, String path, Duration atMost)
                throws InterruptedException {
            if (path.equals("/q/metrics")) {
                new CountDownLatch(1).await();
            }
            if (ready) {
                lastReady = Instant.now();
                return Optional.of("");
            }
            firstNotReady = firstNotReady == null ? Instant.now() : firstNotReady;
            return Optional.empty();
        }
    }

    @Test
    void an_outage_is_seen_and_begins_at_the_last_answer_while_other_services_are_frozen() throws InterruptedException {
        var services = new FrozenServices();

        try (var monitor = new AvailabilityMonitor(services)) {
            Await.until(PATIENCE, "a sample while it is ready", () -> services.lastReady != null);
            services.ready = false;
            Await.until(PATIENCE, "a sample while it is not", () -> services.firstNotReady != null);
            var lastReady = services.lastReady;
            services.ready = true;
            Await.until(PATIENCE, "the outage", () -> !monitor.outages().isEmpty());

            assertThat(monitor.outages()).singleElement().satisfies(outage -> {
                assertThat(outage.since()).isBetween(lastReady, services.firstNotReady);
                assertThat(outage.until()).isAfter(services.firstNotReady);
            });
        }
    }
}
