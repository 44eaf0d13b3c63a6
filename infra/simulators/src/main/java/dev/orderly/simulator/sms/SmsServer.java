package dev.orderly.simulator.sms;

import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The provider's HTTP interface. It keeps the latest messages, in memory.
 *
 * <pre>
 *   POST /messages      {"to": "+49…", "text"} with an Idempotency-Key: accepted, once per key
 *   GET  /messages      what phones have received, the oldest first
 *   PUT  /fault         {"seconds": 5}: accepts nothing for so long
 * </pre>
 */
public final class SmsServer implements AutoCloseable {

    private static final int MAX_MESSAGES = 20_000;

    private final JsonServer http;
    private final Map<String, Message> messages = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Message> eldest) {
            return size() > MAX_MESSAGES;
        }
    };
    private Instant closedUntil = Instant.EPOCH;

    private record Message(String to, String text, String key, String at) {}

    public SmsServer(InetSocketAddress address, String apiKey) throws IOException {
        http = new JsonServer(address, apiKey, this::respond);
    }

    @Override
    public void close() {
        http.close();
    }

    private synchronized Response respond(Request request) throws IOException {
        return switch (request.route()) {
            case "POST /messages" -> accept(request);
            case "GET /messages" -> Response.json(200, List.copyOf(messages.values()));
            case "PUT /fault" -> {
                closedUntil =
                        Instant.now().plusSeconds(request.json().path("seconds").asLong());
                yield Response.ok();
            }
            default -> Response.error(404, "there is no " + request.route());
        };
    }

    private Response accept(Request request) throws IOException {
        if (Instant.now().isBefore(closedUntil)) {
            return Response.error(503, "come back later");
        }
        var key = request.headers().getFirst("Idempotency-Key");
        var message = request.json();
        if (key == null
                || !message.path("to").isTextual()
                || !message.path("text").isTextual()) {
            return Response.error(422, "a key, a number and a text are needed");
        }
        messages.putIfAbsent(
                key,
                new Message(
                        message.path("to").asText(),
                        message.path("text").asText(),
                        key,
                        Instant.now().toString()));
        return Response.json(202, Map.of());
    }
}
