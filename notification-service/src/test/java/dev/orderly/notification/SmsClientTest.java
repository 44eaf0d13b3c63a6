package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.notification.Message.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The URL of the SMS provider; {@link CustomerEventHandlerTest} has what is sent to it. */
class SmsClientTest {

    private final List<String> requested = new ArrayList<>();
    private final List<String> authorized = new ArrayList<>();

    @Test
    void a_provider_may_have_its_api_below_a_path() throws Exception {
        send(202);

        assertThat(requested).containsExactly("POST /sms/v2/messages");
    }

    @Test
    void of_an_API_key_and_the_former_one_the_first_is_sent() throws Exception {
        send(202);

        assertThat(authorized).containsExactly("Bearer key");
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 422})
    void a_message_that_the_provider_never_will_send_is_undeliverable(int status) {
        assertThatThrownBy(() -> send(status)).isInstanceOf(UndeliverableException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 404, 429, 500})
    void a_message_that_it_does_not_send_now_may_be_sent_later(int status) {
        assertThatThrownBy(() -> send(status))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(UndeliverableException.class)
                .hasMessage("HTTP " + status);
    }

    /** To a provider that answers with this status. */
    private void send(int status) throws Exception {
        var provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        provider.createContext("/", exchange -> {
            requested.add(exchange.getRequestMethod() + ' ' + exchange.getRequestURI());
            authorized.add(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        provider.start();
        var client = client("http://localhost:" + provider.getAddress().getPort() + "/sms/v2");
        try {
            client.send(
                    new Message(UUID.randomUUID(), Kind.CODE, UUID.randomUUID(), "", "{code}", null), "+4915112345678");
        } finally {
            client.close();
            provider.stop(0);
        }
    }

    @Test
    void an_invalid_url_is_refused_by_the_name_of_its_setting() {
        assertThatThrownBy(() -> client("sms.example")).hasMessageStartingWith("SMS_URL must be an http or https URL");
    }

    private static SmsClient client(String url) {
        return new SmsClient(
                url, Optional.of(List.of("key", "the former key")), List.of("a-verification-key-of-32-characters"));
    }
}
