package dev.orderly.testkit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.process.HealthProbe;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** ShopClient of the services by HTTP, as the demo and the scenarios make them. */
public final class ShopClient {
    private static final int WAIT_SECONDS = 20;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final JsonMapper JSON = new JsonMapper();

    private ShopClient() {}

    /**
     * Repeated, under one key, while the service cannot be reached: it may be restarting.
     *
     * @param body written as JSON, or null for none
     */
    public static HttpResponse<String> send(String method, URI url, Object body) throws InterruptedException {
        return send(method, url, body, Map.of());
    }

    public static HttpResponse<String> send(String method, URI url, Object body, Map<String, String> headers)
            throws InterruptedException {
        Instant deadline = Instant.now().plus(PATIENCE);
        try {
            var request = HttpRequest.newBuilder(url)
                    .timeout(Duration.ofSeconds(WAIT_SECONDS + 10))
                    .header("Content-Type", "application/json")
                    .header("Idempotency-Key", UUID.randomUUID().toString())
                    .method(
                            method,
                            body == null
                                    ? BodyPublishers.noBody()
                                    : BodyPublishers.ofString(JSON.writeValueAsString(body)));
            headers.forEach(request::setHeader);
            while (true) {
                try {
                    return HealthProbe.HTTP.send(request.build(), BodyHandlers.ofString());
                } catch (IOException e) {
                    if (Instant.now().isAfter(deadline)) {
                        throw e;
                    }
                    TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
                }
            }
        } catch (IOException e) {
            throw new CommandFailedException("%s %s was not answered: %s".formatted(method, url, e), e);
        }
    }

    /** The same response. @throws CommandFailedException when it is no success */
    public static HttpResponse<String> expect(HttpResponse<String> response) {
        if (response.statusCode() / 100 != 2) {
            throw new CommandFailedException("%s %s answered %d: %s"
                    .formatted(response.request().method(), response.uri(), response.statusCode(), response.body()));
        }
        return response;
    }

    public static JsonNode json(HttpResponse<String> response) {
        try {
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new CommandFailedException(response.uri() + " answered no JSON: " + response.body(), e);
        }
    }

    /**
     * The order when it has ended, or as it is after {@value #WAIT_SECONDS} s. Read by the link that it was accepted with,
     * which never answers before the order can be seen.
     */
    public static JsonNode awaitEnd(HttpResponse<String> accepted) throws InterruptedException {
        String location = accepted.headers()
                .firstValue("Location")
                .orElseThrow(() -> new CommandFailedException("an order was accepted without a Location"));
        String wait = (location.contains("?") ? "&" : "?") + "wait=" + WAIT_SECONDS;
        return json(expect(send("GET", accepted.uri().resolve(location + wait), null)));
    }
}
