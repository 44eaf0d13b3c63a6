package dev.orderly.simulator.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.Scanner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonServerTest {

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "localhost:18099, 200",
        "127.0.0.1, 200",
        "[::1]:18099, 200",
        "simulators:18099, 200",
        "evil.example:18099, 421",
        "127.0.0.1.evil.example, 421"
    })
    void a_site_whose_name_leads_here_is_told_nothing(String host, int status) throws IOException {
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (var server = new JsonServer(address, "", _ -> Response.ok());
                var socket = new Socket(address.getAddress(), server.port())) {
            var request = "GET /messages HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(US_ASCII));

            assertThat(new Scanner(socket.getInputStream(), US_ASCII).nextLine())
                    .startsWith("HTTP/1.1 " + status);
        }
    }
}
