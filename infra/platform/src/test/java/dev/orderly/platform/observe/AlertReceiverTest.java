package dev.orderly.platform.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.observe.AlertReceiver.Alert;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AlertReceiverTest {

    private static final String NOTIFICATION = """
            {"version": "4", "status": "firing", "alerts": [
              {"status": "firing", "labels": {"alertname": "BacklogAbove80Percent", "service": "payment-service"}},
              {"status": "resolved", "labels": {"alertname": "BacklogAbove80Percent", "service": "order-service"}},
              {"status": "firing", "labels": {"alertname": "TargetDown"}}]}
            """;

    private final List<Alert> fired = new CopyOnWriteArrayList<>();
    private final AlertReceiver receiver = new AlertReceiver(0, "token", fired::add);

    @AfterEach
    void close() {
        receiver.close();
    }

    @Test
    void each_alert_that_fires_is_handed_on_and_one_that_is_over_is_not() throws Exception {
        assertThat(post("/alerts", "Bearer token", NOTIFICATION).statusCode()).isEqualTo(204);

        assertThat(fired)
                .containsExactly(new Alert("BacklogAbove80Percent", "payment-service"), new Alert("TargetDown", ""));
    }

    @Test
    void without_the_token_nothing_is_handed_on() throws Exception {
        for (var authorization : List.of("Bearer other", "token", "")) {
            var response = post("/alerts", authorization, NOTIFICATION);

            assertThat(response.statusCode()).isEqualTo(401);
            assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        }
        assertThat(fired).isEmpty();
    }

    @Test
    void what_is_no_notification_is_answered_with_what_is_wrong() throws Exception {
        assertThat(post("/alerts", "Bearer token", "{\"alerts\": [").statusCode())
                .isEqualTo(400);
        assertThat(post("/alerts", "Bearer token", "[]").statusCode()).isEqualTo(204);
        assertThat(post("/others", "Bearer token", NOTIFICATION).statusCode()).isEqualTo(404);
        assertThat(post("/alerts", "Bearer token", " ".repeat(300_000)).statusCode())
                .isEqualTo(413);
        assertThat(fired).isEmpty();
    }

    private HttpResponse<String> post(String path, String authorization, String body) throws Exception {
        var url = URI.create("http://" + PlatformSettings.HOST + ":" + receiver.port() + path);
        try (var client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(url)
                            .header("Authorization", authorization)
                            .POST(BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
        }
    }
}
