package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a launcher ends, and how it does not start. */
class LauncherTest {
    /** Those of the boot and platform loaders, which is what a JRE has (OpenJDK's make/Images.gmk, JRE_MODULES). */
    private static final String MODULES_OF_A_JRE =
            "java.se,jdk.httpserver,jdk.jfr,jdk.management,jdk.naming.dns,jdk.net,jdk.security.auth,jdk.unsupported,jdk.zipfs";

    private static final String[] SMALL = {"--free-ports", "--no-connect", "--no-mail", "--no-gateway"};

    @TempDir
    Path data;

    @Test
    void a_killed_launcher_leaves_no_process_and_the_next_start_finds_the_data() throws Exception {
        try (var first = Launched.start(data, SMALL).awaitReady()) {
            try (var owner = first.connect("orders", "orders_owner")) {
                owner.createStatement().execute("CREATE TABLE kept AS SELECT 42 AS answer");
            }
            var processes = first.processes();

            first.kill();

            assertThat(processes).hasSizeGreaterThan(4); // launcher, guards, postgres and its own, broker
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(processes).noneMatch(ProcessHandle::isAlive));
        }

        try (var second = Launched.start(data, SMALL).awaitReady();
                var app = second.connect("orders", "orders_app")) {
            var answer = app.createStatement().executeQuery("SELECT answer FROM kept");
            assertThat(answer.next()).isTrue();
            assertThat(answer.getInt(1)).isEqualTo(42);
        }
    }

    @Test
    void a_taken_port_is_one_line_that_names_it() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getByName(Settings.HOST))) {
            var launched = Launched.start(
                    data,
                    "--no-connect",
                    "--no-mail",
                    "--no-gateway",
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

        var launched = Launched.start(data, "--fresh");

        assertThat(launched.awaitEnd()).singleElement().asString().contains("holds other things");
        assertThat(launched.exitCode()).isEqualTo(1);
        assertThat(data).isDirectoryContaining(f -> f.endsWith("thesis.txt"));
        assertThat(data.toFile().list()).hasSize(1);
    }

    @Test
    void data_of_three_brokers_is_not_for_one() throws Exception {
        StateFolder.open(data, false, 3).close();

        var launched = Launched.start(data, SMALL);

        assertThat(launched.awaitEnd())
                .singleElement()
                .asString()
                .contains("was made with --brokers 3: say so, or start over with --fresh");
    }

    /** The images of the platform's helpers hold no JDK, and the fault lab, of which their command line knows, needs one. */
    @Test
    void whatever_runs_in_containers_needs_no_more_than_a_jre() throws Exception {
        var process = Launched.commandLine(
                        List.of("--limit-modules=" + MODULES_OF_A_JRE), List.of("bootstrap", "--help"))
                .start();

        assertThat(process.inputReader().lines()).anyMatch(line -> line.contains("--ready-file"));
        assertThat(process.waitFor()).isZero();
    }
}
