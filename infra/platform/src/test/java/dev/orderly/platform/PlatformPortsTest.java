package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlatformPortsTest {
    private static PlatformSettings settings(int brokers) {
        return new PlatformSettings(
                Checkout.path(),
                Path.of("/data"),
                brokers,
                PlatformSettings.Ports.DEFAULT,
                Set.of(),
                PlatformSettings.JSON);
    }

    @Test
    void a_port_that_is_taken_on_every_interface_is_taken() throws IOException {
        try (var taken = new ServerSocket(0)) {
            assertThat(PlatformPorts.taken(Map.of(taken.getLocalPort(), "postgres")))
                    .containsExactly("port " + taken.getLocalPort() + " of postgres is taken");
        }
    }

    @Test
    void no_two_parts_share_a_port() {
        var services = ServiceDefinition.all(Checkout.path(), PlatformSettings.Ports.DEFAULT.http());

        var ports = PlatformPorts.inUse(settings(3), services, Platform.Scope.ALL);

        // A map: shared ones would be one entry.
        assertThat(ports).hasSize(1 + 3 + 3 + 3 + 1 + 2 + 1 + 1 + 1 + 1 + 4 + 4);
        assertThat(settings(3).bootstrapServers()).isEqualTo("127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094");
    }
}
