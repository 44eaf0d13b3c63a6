package dev.orderly.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PlatformClientTest {

    @Test
    @Timeout(8) // it would wait for 10 s otherwise
    void a_service_that_accepts_connections_and_answers_nothing_is_waited_for_no_longer_than_wanted()
            throws IOException, InterruptedException {
        try (var frozen = new ServerSocket(0, 1, InetAddress.getByName(PlatformSettings.HOST));
                var platform = new RunningPlatform(Path.of("unused"), Map.of())) {
            int management = frozen.getLocalPort();
            platform.ports.put("order-service", management - PlatformSettings.Ports.management(0));

            assertThat(platform.askManagement("order-service", "/q/health/ready", Duration.ofMillis(50)))
                    .isEmpty();
        }
    }
}
