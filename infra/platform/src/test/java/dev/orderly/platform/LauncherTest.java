package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a launcher ends, and how it does not start. */
class LauncherTest {
    private static final String[] SMALL = {"--free-ports", "--no-connect", "--no-simulators"};

    @TempDir
    Path data;

    @Test
    void a_killed_launcher_leaves_no_process_and_the_next_start_finds_the_data() throws Exception {
        try (var first = PlatformProcess.start(data, SMALL).awaitReady()) {
            try (var owner = first.connect("orders", "orders_owner")) {
                owner.createStatement().execute("CREATE TABLE kept AS SELECT 42 AS answer");
            }
            var processes = first.processes();

            first.kill();

            assertThat(processes).hasSizeGreaterThan(4); // launcher, guards, postgres and its own, broker
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(processes).noneMatch(ProcessHandle::isAlive));
        }

        try (var second = PlatformProcess.start(data, SMALL).awaitReady();
                var app = second.connect("orders", "orders_app")) {
            var answer = app.createStatement().executeQuery("SELECT answer FROM kept");
            assertThat(answer.next()).isTrue();
            assertThat(answer.getInt(1)).isEqualTo(42);
        }
    }

    @Test
    void a_taken_port_is_one_line_that_names_it() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getByName(PlatformSettings.HOST))) {
            var launched = PlatformProcess.start(
                    data,
                    "--no-connect",
                    "--no-simulators",
                    "--port-offset=9000",
                    "--postgres-port=" + (taken.getLocalPort() - 9000));

            assertThat(launched.awaitEnd())
                    .singleElement()
                    .asString()
                    .startsWith("orderly: port " + taken.getLocalPort() + " of postgres (--postgres-port) is taken");
            assertThat(launched.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void somebody_elses_folder_is_neither_used_nor_emptied() throws Exception {
        Files.writeString(data.resolve("thesis.txt"), "the only copy");

        var launched = PlatformProcess.start(data, "--fresh");

        assertThat(launched.awaitEnd()).singleElement().asString().contains("holds other things");
        assertThat(launched.exitCode()).isEqualTo(1);
        assertThat(data).isDirectoryContaining(f -> f.endsWith("thesis.txt"));
        assertThat(data.toFile().list()).hasSize(1);
    }

    @Test
    void data_of_three_brokers_is_not_for_one() throws Exception {
        StateDirectory.open(data, false, 3).close();

        var launched = PlatformProcess.start(data, SMALL);

        assertThat(launched.awaitEnd())
                .singleElement()
                .asString()
                .contains("was made with --brokers 3: say so, or start over with --fresh");
    }
}
