package dev.orderly.notification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.notification.Message.Kind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The URL of the SMS provider; {@link CustomerEventHandlerTest} has what is sent to it. */
class SmsClientTest {

    @Test
    void a_provider_may_have_its_api_below_a_path() throws Exception {
        var requested = new ArrayList<String>();
        var provider = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        provider.createContext("/", exchange -> {
            requested.add(exchange.getRequestMethod() + ' ' + exchange.getRequestURI());
            exchange.sendResponseHeaders(202, -1);
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

        assertThat(requested).containsExactly("POST /sms/v2/messages");
    }

    @Test
    void an_invalid_url_is_refused_by_the_name_of_its_setting() {
        assertThatThrownBy(() -> client("sms.example")).hasMessageStartingWith("SMS_URL must be an http or https URL");
    }

    private static SmsClient client(String url) {
        return new SmsClient(url, Optional.of("key"), "a-verification-key-of-32-characters");
    }
}
