package dev.orderly.simulator.sms;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;

/**
 * The provider's HTTP interface; all that it knows it forgets when it ends.
 *
 * <pre>
 *   POST /messages      {"to": "+49…", "text"} with an Idempotency-Key: taken over, once per key
 *   GET  /messages      what phones have received, the oldest first
 *   PUT  /fault         {"seconds": 5}: takes nothing for a while
 * </pre>
 */
public final class SmsServer {

    private static final int MAX_BODY = 4 * 1024;
    private static final int MAX_MESSAGES = 100_000;
    private static final JsonMapper JSON = new JsonMapper();

    private final byte[] authorization;
    private final Deque<ObjectNode> messages = new ArrayDeque<>();
    private final Map<String, ObjectNode> byKey = new HashMap<>();
    private Instant closedUntil = Instant.EPOCH;

    private record Answer(int status, String body) {}

    private SmsServer(String apiKey) {
        authorization = ("Bearer " + apiKey).getBytes(UTF_8);
    }

    /** Configured by its environment alone: SMS_HOST, SMS_PORT, SMS_API_KEY. */
    public static void main(String[] arguments) throws IOException {
        var provider = new SmsServer(variable("SMS_API_KEY"));
        var server = HttpServer.create(
                new InetSocketAddress(
                        InetAddress.getByName(variable("SMS_HOST")), Integer.parseInt(variable("SMS_PORT"))),
                0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", provider::handle);
        server.start();
        System.out.println("listening on " + server.getAddress());
    }

    private static String variable(String name) {
        var value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            System.err.println("the environment has no " + name);
            System.exit(2);
        }
        return value;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var answer = answer(exchange);
            var body = answer.body().getBytes(UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        var route = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        if (route.equals("GET /health")) {
            return new Answer(200, "{}");
        }
        var headers = exchange.getRequestHeaders();
        var key = headers.getFirst("Authorization");
        if (key == null || !MessageDigest.isEqual(key.getBytes(UTF_8), authorization)) {
            return refusal(401, "who are you?");
        }
        var body = exchange.getRequestBody().readNBytes(MAX_BODY + 1);
        if (body.length > MAX_BODY) {
            return refusal(413, "too much");
        }
        try {
            return switch (route) {
                case "POST /messages" -> take(headers.getFirst("Idempotency-Key"), JSON.readTree(body));
                case "GET /messages" -> all();
                case "PUT /fault" -> close(JSON.readTree(body).path("seconds").asLong());
                default -> refusal(404, "there is no " + route);
            };
        } catch (JsonProcessingException _) {
            return refusal(400, "not JSON");
        }
    }

    private synchronized Answer take(String key, JsonNode message) {
        if (Instant.now().isBefore(closedUntil)) {
            return refusal(503, "come back later");
        }
        if (key == null
                || !message.path("to").isTextual()
                || !message.path("text").isTextual()) {
            return refusal(422, "a key, a number and a text are needed");
        }
        if (!byKey.containsKey(key)) {
            var taken = JSON.createObjectNode()
                    .put("to", message.path("to").asText())
                    .put("text", message.path("text").asText())
                    .put("key", key)
                    .put("at", Instant.now().toString());
            byKey.put(key, taken);
            messages.add(taken);
            if (messages.size() > MAX_MESSAGES) {
                byKey.remove(messages.removeFirst().path("key").asText());
            }
        }
        return new Answer(202, "{}");
    }

    private synchronized Answer all() {
        var all = JSON.createArrayNode();
        messages.forEach(all::add);
        return new Answer(200, all.toString());
    }

    private synchronized Answer close(long seconds) {
        closedUntil = Instant.now().plusSeconds(seconds);
        return new Answer(200, "{}");
    }

    private static Answer refusal(int status, String why) {
        return new Answer(status, JSON.createObjectNode().put("error", why).toString());
    }
}
