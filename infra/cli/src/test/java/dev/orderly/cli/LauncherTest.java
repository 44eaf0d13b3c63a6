package dev.orderly.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a launcher ends, and how it does not start. */
@Tag("processes")
class LauncherTest {
    private static final String[] SMALL = {"platform", "--brokers=1", "--free-ports", "--no-connect", "--no-simulators"
    };

    @TempDir
    Path folder;

    private Path data;

    @BeforeEach
    void makeFolder() throws IOException {
        data = Files.createDirectory(folder.resolve("data"));
    }

    @Test
    void a_killed_launcher_leaves_no_process_and_the_next_start_finds_the_data() throws Exception {
        try (var first = new RunningPlatform(data, Map.of(), SMALL)) {
            first.start();
            try (var owner = first.connect("orders", "orders_owner")) {
                owner.createStatement().execute("CREATE TABLE kept AS SELECT 42 AS answer");
            }
            createTopicAndForgetUsers(first);
            var processes = first.processes();

            processes.getFirst().destroyForcibly();

            assertThat(processes).hasSizeGreaterThan(4); // launcher, guards, postgres and its own, broker
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(processes).noneMatch(ProcessHandle::isAlive));
        }

        try (var second = new RunningPlatform(data, Map.of(), SMALL)) {
            second.start();
            assertThat(second.number("orders", "SELECT answer FROM kept")).isEqualTo(42);
            assertThat(second.admin().listTopics().names().get()).contains("kept");
        }
    }

    /** As an installation of a version whose brokers knew no users: it has no passwords for them either. */
    private void createTopicAndForgetUsers(RunningPlatform platform) throws Exception {
        var admin = platform.admin();
        admin.createTopics(List.of(new NewTopic("kept", 1, (short) 1))).all().get();
        var users = admin.describeUserScramCredentials().users().get();
        assertThat(users).contains("order-service", "relay-orders", "admin");
        admin.alterUserScramCredentials(users.stream()
                        .<UserScramCredentialAlteration>map(
                                user -> new UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))
                        .toList())
                .all()
                .get();
        admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get();
        var secrets = data.resolve("secrets.properties");
        Files.write(
                secrets,
                Files.readAllLines(secrets).stream()
                        .filter(line -> !line.startsWith("kafka_"))
                        .toList());
    }

    @Test
    void a_taken_port_is_one_line_that_names_it() throws Exception {
        try (var taken = new ServerSocket(0, 1, InetAddress.getByName(PlatformSettings.HOST))) {
            int port = taken.getLocalPort();

            var result = launch("--no-connect", "--port-offset=9000", "--postgres-port=" + (port - 9000));

            assertThat(result.output().lines())
                    .singleElement()
                    .asString()
                    .startsWith("orderly: port " + port + " of postgres (--postgres-port) is taken");
            assertThat(result.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void somebody_elses_folder_is_neither_used_nor_emptied() throws Exception {
        Files.writeString(data.resolve("thesis.txt"), "the only copy");

        var result = launch("--fresh");

        assertThat(result.output().lines()).singleElement().asString().contains("holds other things");
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(data).isDirectoryContaining(f -> f.endsWith("thesis.txt"));
        assertThat(data.toFile().list()).hasSize(1);
    }

    @Test
    void data_of_three_brokers_is_not_for_one() throws Exception {
        StateDirectory.open(data, false, 3).close();

        var result = launch("--free-ports");

        assertThat(result.output().lines())
                .singleElement()
                .asString()
                .contains("was made with --brokers 3: say so, or start over with --fresh");
    }

    private OrderlyCommand.Result launch(String... options) throws IOException, InterruptedException {
        var arguments = new ArrayList<>(List.of("platform", "--brokers=1", "--data=" + data));
        arguments.addAll(List.of(options));
        try (var launcher = OrderlyCommand.startPlatform(arguments.toArray(String[]::new))) {
            return launcher.end();
        }
    }
}
