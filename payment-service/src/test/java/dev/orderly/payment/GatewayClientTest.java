package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The URL of the gateway, and answers that it should not give; {@link CardPaymentTest} has the others. */
class GatewayClientTest {

    @ParameterizedTest
    @ValueSource(strings = {"/psp/v1", "/psp/v1/", "", "/"})
    void a_gateway_may_have_its_api_below_a_path_and_gets_the_first_of_two_keys(String path) throws Exception {
        var requested = new ArrayList<String>();
        var gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gateway.createContext("/", exchange -> {
            var key = exchange.getRequestHeaders().getFirst("Authorization");
            requested.add(exchange.getRequestMethod() + ' ' + exchange.getRequestURI() + ' ' + key);
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
        });
        gateway.start();
        var client = client("http://localhost:" + gateway.getAddress().getPort() + path);
        var payment = payment();
        try {
            assertThat(client.find(payment)).isEmpty();
        } finally {
            client.close();
            gateway.stop(0);
        }

        var root = path.endsWith("/") ? path : path + '/';
        assertThat(requested).containsExactly("GET " + root + "payments/" + payment.orderId() + " Bearer key");
    }

    @Test
    void what_the_gateway_answers_beyond_its_api_is_no_result_and_not_repeated() throws Exception {
        var payment = payment();
        var right = """
                {"id":"%s","merchant":"orderly","amount":{"amount":1999,"currency":"EUR"},\
                "status":"succeeded"}""".formatted(payment.orderId());
        var body = new AtomicReference<>(right);
        var gateway = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        gateway.createContext("/", exchange -> {
            try (exchange) {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write(body.get().getBytes(UTF_8));
            }
        });
        gateway.start();
        var client = client("http://localhost:" + gateway.getAddress().getPort());
        try {
            assertThat(client.find(payment)).isPresent();
            for (var wrong : List.of(
                    "",
                    "[]",
                    "<html>sesame</html>",
                    right.replace("succeeded", "sesame"),
                    right.replace("1999", "-1999"),
                    right.replace("\"merchant\":\"orderly\",", ""),
                    right.replace(
                            payment.orderId().toString(), UUID.randomUUID().toString()),
                    right + " ".repeat(16 * 1024))) {
                body.set(wrong);
                assertThatThrownBy(() -> client.find(payment))
                        .as(wrong)
                        .isInstanceOfAny(GatewayResult.ProtocolViolation.class, IOException.class)
                        .hasMessageNotContaining("sesame");
            }
        } finally {
            client.close();
            gateway.stop(0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gateway.example",
                "gateway.example:443",
                "ftp://gateway.example",
                "https://",
                "https:/gateway.example",
                "https://gateway.example/a b",
                "https://gateway.example:70000",
                "https://user:secret@gateway.example",
                "https://gateway.example/?merchant=17",
                "https://gateway.example/#top",
            })
    void an_invalid_url_is_refused_by_the_name_of_its_setting(String url) {
        assertThatThrownBy(() -> client(url))
                .hasMessageStartingWith("ORDERLY_GATEWAY_URL must be an http or https URL")
                .hasMessageNotContaining("secret");
    }

    /** A card payment that nothing was requested of yet. */
    static Payment payment() {
        return new Payment(
                UUID.randomUUID(),
                UUID.randomUUID(),
                Payment.Status.REQUESTED,
                Money.of(1999, "EUR"),
                true,
                new CardToken("tok_ok"),
                null,
                Instant.now(),
                0);
    }

    private static GatewayClient client(String url) {
        return new GatewayClient(url, Optional.of(List.of("key", "the former key")), "orderly");
    }
}
