package dev.orderly.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.StatusFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class StatusCommandTest {
    private static final long OURS = ProcessHandle.current().pid();
    private static final long GONE = Integer.MAX_VALUE;

    @TempDir
    Path data;

    private StateDirectory open;
    private HttpServer service;
    private ServerSocket server;
    private String health = "{\"status\":\"UP\",\"checks\":[]}";
    private String connectors = "{}";
    private boolean started = true;
    private String output;

    @BeforeEach
    void start() throws IOException {
        open = StateDirectory.open(data, false, 1);
        service = HttpServer.create(new InetSocketAddress(InetAddress.getByName(PlatformSettings.HOST), 0), 0);
        service.createContext("/q/health/ready", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(health.contains("DOWN") ? 503 : 200, 0);
                exchange.getResponseBody().write(health.getBytes(UTF_8));
            }
        });
        service.createContext("/connectors", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write(connectors.getBytes(UTF_8));
            }
        });
        service.start();
        server = new ServerSocket(0, 50, InetAddress.getByName(PlatformSettings.HOST));
    }

    /** Until then connections are accepted, as those of a frozen process are, and nothing is answered. */
    private void answerConnections() {
        Thread.startVirtualThread(() -> {
            try {
                while (true) {
                    try (var connection = server.accept()) {
                        connection.getOutputStream().write('N');
                    }
                }
            } catch (IOException _) {
                // it is closed
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        service.stop(0);
        server.close();
        open.close();
    }

    @Test
    void all_is_well_while_processes_run_and_say_that_they_can_work() throws IOException {
        answerConnections();

        assertThat(status(
                        part("kafka-1", OURS),
                        part("postgres", OURS),
                        part("connect", OURS),
                        part("order-service", OURS)))
                .isZero();
        assertThat(output).containsPattern("kafka-1 +ready").containsPattern("order-service +ready");
    }

    @Test
    void a_process_that_is_gone_is_not_ready_whatever_was_written_last() throws IOException {
        assertThat(status(part("kafka-1", GONE), part("order-service", OURS))).isEqualTo(1);
        assertThat(output).containsPattern("kafka-1 +stopped").containsPattern("order-service +ready");
    }

    @Test
    void a_process_that_is_frozen_is_not_ready() throws IOException {
        assertThat(status(part("kafka-1", OURS), part("postgres", OURS), part("order-service", OURS)))
                .isEqualTo(1);
        assertThat(output)
                .containsPattern("kafka-1 +not ready: no answer within 3 s")
                .containsPattern("postgres +not ready: no answer within 3 s");
    }

    @Test
    void while_parts_are_yet_to_be_started_those_that_are_ready_are_not_all() throws IOException {
        started = false;

        assertThat(status(part("order-service", OURS))).isEqualTo(1);
        assertThat(output).containsPattern("order-service +ready").contains("starting, more parts follow");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "RUNNING | {\"state\": \"FAILED\"}  | failed",
                "RUNNING |                         | without a task",
                "STOPPED |                         | stopped and without a task",
                "PAUSED  | {\"state\": \"PAUSED\"}  | paused",
            })
    void a_relay_that_does_not_run_is_named(String connector, String task, String problem) throws IOException {
        connectors = """
                {"orders-outbox": {"status": {"connector": {"state": "%s"}, "tasks": [%s]}},
                 "payments-outbox": {"status": {"connector": {"state": "RUNNING"}, "tasks": [{"state": "RUNNING"}]}}}
                """.formatted(connector, task == null ? "" : task);

        assertThat(status(part("connect", OURS))).isEqualTo(1);
        assertThat(output).containsPattern("connect +not ready: orders-outbox is " + problem + " ");
    }

    @Test
    void simulators_that_do_not_answer_as_they_should_are_not_ready() throws IOException {
        assertThat(status(part("simulators", OURS))).isEqualTo(1);
        assertThat(output).containsPattern("simulators +not ready: no answer within 3 s");
    }

    @Test
    void what_a_service_waits_for_is_named() throws IOException {
        health = """
                {"status": "DOWN", "checks": [
                  {"name": "connections", "status": "UP"},
                  {"name": "migration", "status": "DOWN"},
                  {"name": "messaging", "status": "DOWN", "data": {"orders": "[KO] - no partitions", "log": "[OK]"}}]}
                """;

        assertThat(status(part("order-service", OURS))).isEqualTo(1);
        assertThat(output).contains("not ready: migration, no partitions ");
    }

    private ProcessStatus part(String name, long pid) throws IOException {
        Files.writeString(data.resolve("run").resolve(name + ".pid"), pid + "\n");
        int http = service.getAddress().getPort();
        int port = name.endsWith("-service")
                ? http - PlatformSettings.Ports.management(0)
                : name.equals("connect") ? http : server.getLocalPort();
        return new ProcessStatus(
                name, ProcessStatus.State.READY, pid, 0, Instant.now().toString(), port, "");
    }

    /** Returns the exit code. */
    private int status(ProcessStatus... parts) {
        var settings =
                new PlatformSettings(data, data, 1, PlatformSettings.Ports.DEFAULT, Set.of(), PlatformSettings.JSON);
        StatusFile.write(settings, started, List.of(parts));
        var printed = new ByteArrayOutputStream();
        PrintStream console = System.out;
        System.setOut(new PrintStream(printed, true, UTF_8));
        try {
            return new CommandLine(new StatusCommand()).execute("--data=" + data);
        } finally {
            System.setOut(console);
            output = printed.toString(UTF_8);
        }
    }
}
