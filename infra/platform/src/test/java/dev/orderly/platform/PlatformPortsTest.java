package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class PlatformPortsTest {
    private static PlatformSettings settings(int brokers) {
        return settings(brokers, PlatformSettings.JSON);
    }

    private static PlatformSettings settings(int brokers, String eventFormat) {
        return new PlatformSettings(
                Checkout.path(), Path.of("/data"), brokers, PlatformSettings.Ports.DEFAULT, Set.of(), eventFormat);
    }

    @Test
    void a_port_that_is_taken_on_every_interface_is_taken() throws IOException {
        try (var taken = new ServerSocket(0)) {
            assertThat(PlatformPorts.taken(Map.of(taken.getLocalPort(), "postgres")))
                    .containsExactly("port " + taken.getLocalPort() + " of postgres is taken");
        }
    }

    @Test
    void a_format_that_there_is_not_is_refused_in_one_line() {
        var said = new StringWriter();

        int exitCode = new CommandLine(new PlatformCommand())
                .setErr(new PrintWriter(said, true))
                .execute("--event-format=yaml");

        assertThat(exitCode).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(said.toString()).startsWith("--event-format must be json, avro or protobuf, not yaml");
    }

    @ParameterizedTest
    @CsvSource({
        "--kafka-port=65500, 'no such port: 65600, of kafka-1''s controller (--kafka-port)'",
        "--kafka-port=18083, port 18083 would be of kafka-1 (--kafka-port) and of connect (--connect-port)",
        "--port-offset=60000, 'no such port: 75432, of postgres (--postgres-port)'",
    })
    void ports_that_cannot_be_are_refused_in_one_line(String option, String refusal) {
        var said = new StringWriter();

        int exitCode = new CommandLine(new PlatformCommand())
                .setErr(new PrintWriter(said, true))
                .execute(option);

        assertThat(exitCode).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(said.toString().lines()).first().isEqualTo(refusal);
    }

    @Test
    void no_two_parts_share_a_port() {
        var services = ServiceDefinition.all(Checkout.path(), PlatformSettings.Ports.DEFAULT.http());

        var ports = PlatformPorts.inUse(settings(3), services, Platform.Scope.ALL);

        assertThat(ports).hasSize(1 + 3 + 3 + 3 + 1 + 2 + 1 + 1 + 1 + 1 + 4 + 4);
        assertThat(PlatformPorts.inUse(settings(3, "avro"), services, Platform.Scope.ALL))
                .as("with the schema registry")
                .hasSize(ports.size() + 1);
        assertThat(PlatformPorts.inUse(
                        settings(3), services, Platform.Scope.ALL.observed(true).synchronizing(true)))
                .as("with what observes them, and the sinks")
                .hasSize(ports.size() + 8 + 3 + 1);
        assertThat(settings(3).bootstrapServers()).isEqualTo("127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094");
    }
}
