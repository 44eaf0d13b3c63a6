package dev.orderly.platform.observe;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * Where Alertmanager reports alerts that the launcher acts on: {@code POST /alerts}, in the format of its <a
 * href="https://prometheus.io/docs/alerting/latest/configuration/#webhook_config">webhook</a>, with a bearer
 * token. It answers at once; what is done about an alert may take longer than Alertmanager waits.
 */
public final class AlertReceiver implements AutoCloseable {
    static final String PATH = "/alerts";

    private static final int MAX_BODY_BYTES = 256 * 1024;
    private static final JsonMapper JSON = new JsonMapper();

    private final HttpServer server;
    private final byte[] authorization;
    private final Consumer<Alert> onFiring;

    /** @param service the label, empty if there is none */
    public record Alert(String name, String service) {}

    /**
     * @param port 0 for any that is free
     * @param onFiring gets each alert that fires, as often as Alertmanager repeats it; it must return soon
     */
    public AlertReceiver(int port, String token, Consumer<Alert> onFiring) {
        this.authorization = ("Bearer " + token).getBytes(UTF_8);
        this.onFiring = onFiring;
        try {
            server = HttpServer.create(new InetSocketAddress(PlatformSettings.HOST, port), 0);
        } catch (IOException e) {
            throw new CommandFailedException("cannot listen on port " + port + ": " + e.getMessage(), e);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var problem = receive(exchange);
            if (problem.isEmpty()) {
                exchange.sendResponseHeaders(204, -1);
                return;
            }
            var json = JSON.writeValueAsBytes(problem);
            exchange.getResponseHeaders().set("Content-Type", "application/problem+json");
            exchange.sendResponseHeaders((int) problem.get("status"), json.length);
            exchange.getResponseBody().write(json);
        }
    }

    /** The problem document of the answer; empty if there is no problem. */
    private Map<String, Object> receive(HttpExchange exchange) throws IOException {
        var given = exchange.getRequestHeaders().getFirst("Authorization");
        if (given == null || !MessageDigest.isEqual(given.getBytes(UTF_8), authorization)) {
            return problem(401, "The token of Alertmanager is missing or wrong.");
        }
        if (!exchange.getRequestURI().getPath().equals(PATH)) {
            return problem(404, "There is only " + PATH + ".");
        }
        if (!exchange.getRequestMethod().equals("POST")) {
            return problem(405, "Alerts are reported by POST.");
        }
        var body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
        if (body.length > MAX_BODY_BYTES) {
            return problem(413, "A body has at most " + MAX_BODY_BYTES + " bytes.");
        }
        try {
            firing(JSON.readTree(body)).forEach(onFiring);
            return Map.of();
        } catch (JsonProcessingException _) {
            return problem(400, "The body is not JSON.");
        }
    }

    private static Map<String, Object> problem(int status, String detail) {
        return Map.of("status", status, "title", detail);
    }

    private static List<Alert> firing(JsonNode notification) {
        var firing = new ArrayList<Alert>();
        for (var alert : notification.path("alerts")) {
            if (alert.path("status").asText().equals("firing")) {
                var labels = alert.path("labels");
                firing.add(new Alert(
                        labels.path("alertname").asText(),
                        labels.path("service").asText()));
            }
        }
        return firing;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
