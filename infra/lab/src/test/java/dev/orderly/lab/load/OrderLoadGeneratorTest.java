package dev.orderly.lab.load;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.operations.AccessTokens;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OrderLoadGeneratorTest {
    private static final int CONNECTIONS = 2;

    private HttpServer server;

    /** The identity provider issues tokens; the service accepts connections and answers nothing. */
    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/token", exchange -> {
            var token = "{\"access_token\":\"t\",\"expires_in\":3600}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, token.length);
            exchange.getResponseBody().write(token);
            exchange.close();
        });
        server.createContext("/orders", _ -> {});
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void orders_that_are_never_answered_have_failed_also_those_that_wait_for_a_connection()
            throws InterruptedException {
        int port = server.getAddress().getPort();
        var client = new LoadClient(URI.create("http://127.0.0.1:" + port), CONNECTIONS, Duration.ofMillis(300));
        try (var load = new OrderLoadGenerator(client, null, new AccessTokens(port, "secret", ""), 1)) {

            var results = load.atRate(50, Duration.ofMillis(200), 0);

            assertThat(results.failed).hasValue(10);
            assertThat(results.failures).isNotEmpty();
            assertThat(results.accepted).hasValue(0);
        }
    }
}
