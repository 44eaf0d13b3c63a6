package dev.orderly.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.CommandRunner;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.StatusFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With one service that answers, and one that does not, or none. */
class ParkedCommandTest {
    /** Nothing listens there. */
    private static final int CLOSED = 1;

    @TempDir
    Path data;

    private StateDirectory open;
    private HttpServer server;
    private String parked = "[]";
    private String output;

    @BeforeEach
    void start() throws IOException {
        open = StateDirectory.open(data, false, 1);
        Files.writeString(data.resolve("secrets.properties"), "identity_client_secret=x\n");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(PlatformSettings.HOST), 0), 0);
        answer("/token", () -> "{\"access_token\": \"t\", \"expires_in\": 3600}");
        answer("/parked-events", () -> parked);
        server.start();
    }

    private void answer(String path, Supplier<String> body) {
        server.createContext(path, exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write(body.get().getBytes(UTF_8));
            }
        });
    }

    @AfterEach
    void stop() throws IOException {
        server.stop(0);
        open.close();
    }

    @Test
    void what_is_parked_is_listed_though_a_service_does_not_answer_which_is_said() {
        parked = """
                [{"seq": 1, "eventId": "7f", "consumer": "order-consumer-group", "type": "OrderPlaced",
                  "reason": "FAILED", "attempts": 4}]
                """;

        assertThat(run(List.of(port(), CLOSED), "list")).isEqualTo(1);

        assertThat(output)
                .containsPattern("7f +order +OrderPlaced +FAILED +4 +given up")
                .contains("orderly: what service-2-service has parked is not known: http://127.0.0.1:1/parked-events")
                .contains("does not answer");
    }

    @Test
    void nothing_is_parked_only_where_all_have_said_so() {
        assertThat(run(List.of(port(), port()), "list")).isZero();
        assertThat(output).isEqualTo("nothing is parked\n");

        assertThat(run(List.of(port(), CLOSED), "list")).isEqualTo(1);
        assertThat(output).doesNotContain("nothing is parked");
    }

    @Test
    void an_event_that_was_not_found_may_be_where_nobody_answers() {
        assertThat(run(List.of(port(), CLOSED), "show", "7f")).isEqualTo(1);

        assertThat(output)
                .startsWith("orderly: no event 7f is parked where it could be seen; what service-2-service has parked");
    }

    @Test
    void without_services_of_its_own_the_platform_cannot_say() {
        assertThat(run(List.of(), "list")).isEqualTo(1);

        assertThat(output).startsWith("orderly: no service was started with " + data);
    }

    private int port() {
        return server.getAddress().getPort();
    }

    /** Returns the exit code. */
    private int run(List<Integer> services, String... arguments) {
        var parts = new ArrayList<ProcessStatus>();
        for (int port : services) {
            var name = "service-" + (parts.size() + 1) + "-service";
            parts.add(new ProcessStatus(
                    name, ProcessStatus.State.READY, 1, 0, Instant.now().toString(), port, ""));
        }
        var ports = new PlatformSettings.Ports(1, 1, 0, 1, 1, 1, 1, 1, port(), 1);
        StatusFile.write(
                new PlatformSettings(data, data, 1, ports, Set.of(), PlatformSettings.JSON), true, List.copyOf(parts));
        var command = new ArrayList<>(List.of("parked"));
        command.addAll(List.of(arguments));
        command.add("--data=" + data);
        var printed = new ByteArrayOutputStream();
        var console = List.of(System.out, System.err);
        System.setOut(new PrintStream(printed, true, UTF_8));
        System.setErr(System.out);
        try {
            return CommandRunner.run(new Main(), command.toArray(String[]::new));
        } finally {
            System.setOut(console.getFirst());
            System.setErr(console.getLast());
            output = printed.toString(UTF_8);
        }
    }
}
