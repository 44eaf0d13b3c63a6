package dev.orderly.simulator.sms;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;

class SmsServerTest {

    @Test
    void while_an_API_key_is_replaced_both_are_accepted_and_no_other() throws Exception {
        int port;
        try (var free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (var _ = new SmsServer(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), "new,former")) {
            assertThat(status(port, "new")).isEqualTo(200);
            assertThat(status(port, "former")).isEqualTo(200);
            assertThat(status(port, "new,former")).isEqualTo(401);
            assertThat(status(port, "")).isEqualTo(401);
        }
    }

    private static int status(int port, String key) throws Exception {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/messages"))
                .header("Authorization", "Bearer " + key)
                .build();
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request, BodyHandlers.discarding()).statusCode();
        }
    }
}
