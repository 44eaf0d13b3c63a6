package dev.orderly.console.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.orderly.platform.config.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoPlatformTest {

    @TempDir
    Path state;

    private DemoPlatform platform() {
        return DemoPlatforms.of(state, Checkout.path());
    }

    @Test
    void a_part_is_as_the_launcher_says_unless_its_process_is_gone() throws IOException {
        long alive = ProcessHandle.current().pid();
        Files.createDirectories(state.resolve("run"));
        Files.writeString(state.resolve("run/status.json"), """
                {"parts": [
                  {"name": "kafka-1", "state": "ready", "pid": %1$d, "restarts": 2, "port": 19092},
                  {"name": "order-service", "state": "starting", "pid": %1$d, "restarts": 0, "port": 8080},
                  {"name": "postgres", "state": "waiting_for_space", "pid": 0, "restarts": 1, "port": 15432}]}
                """.formatted(alive));

        assertThat(platform().parts())
                .extracting(DemoPlatform.Part::name, DemoPlatform.Part::kind, DemoPlatform.Part::state)
                .containsExactly(
                        tuple("kafka-1", "broker", "up"),
                        tuple("order-service", "service", "starting"),
                        tuple("postgres", "postgres", "down"));
    }

    @Test
    void a_status_file_that_is_not_there_yet_means_no_parts() {
        assertThat(platform().parts()).isEmpty();
    }

    @Test
    void a_thawed_part_is_not_thawed_again_during_its_next_pause() throws IOException {
        var process = new ProcessBuilder("sleep", "600").start();
        try {
            var platform = platform();
            var part = new DemoPlatform.Part("kafka-1", "broker", "up", "ready", process.pid(), 0, 19092);
            var others = ProcessHandle.current().children().toList();

            platform.freeze(part, Duration.ofMinutes(10));
            var thaw = ProcessHandle.current()
                    .children()
                    .filter(child -> !others.contains(child))
                    .toList();
            platform.thaw(part);

            assertThat(thaw).hasSize(1);
            assertThat(thaw.getFirst().onExit()).succeedsWithin(Duration.ofSeconds(30));
            assertThat(process.isAlive()).isTrue();
        } finally {
            process.destroyForcibly();
        }
    }
}
