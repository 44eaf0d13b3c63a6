package dev.orderly.cli;

import static dev.orderly.platform.config.PlatformSettings.HOST;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.SchemaRegistry;
import dev.orderly.platform.Simulators;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.connect.SinkWorker;
import dev.orderly.platform.observe.TraceServer;
import dev.orderly.platform.process.HealthProbe;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/**
 * What a part whose process runs lacks to do its work, asked in its own protocol: a process that is frozen
 * still accepts connections, as the operating system does that for it.
 */
final class PartHealth {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final String NO_ANSWER = "no answer within " + PATIENCE.toSeconds() + " s";
    private static final String CHANNEL_DOWN = "[KO] - ";
    private static final JsonMapper JSON = new JsonMapper();
    /** Of a service, such as order-service, or order-service-2. */
    private static final Pattern INSTANCE = Pattern.compile("\\w+-service(-\\d+)?");

    /**
     * ApiVersions, version 0, which a broker answers before a login: length, API key, version, correlation
     * id, no client id (https://kafka.apache.org/protocol).
     */
    private static final byte[] API_VERSIONS = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, -1, -1};

    /**
     * SSLRequest, answered by one byte before a login
     * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
     */
    private static final byte[] SSL_REQUEST = {0, 0, 0, 8, 4, (byte) 210, 22, 47};

    private final String connectPassword;

    /** @param connectPassword of Connect's REST interface */
    PartHealth(String connectPassword) {
        this.connectPassword = connectPassword;
    }

    /** Completes within {@link #PATIENCE}, always normally: with what the part waits for, else empty. */
    CompletableFuture<String> notReady(String part, int port) {
        if (INSTANCE.matcher(part).matches()) {
            return ask(PlatformSettings.Ports.management(port), "/q/health/ready", "", PartHealth::service);
        }
        if (part.startsWith("kafka-")) {
            return CompletableFuture.supplyAsync(() -> reacts(port, API_VERSIONS), Thread::startVirtualThread);
        }
        return switch (part) {
            case "postgres" ->
                CompletableFuture.supplyAsync(() -> reacts(port, SSL_REQUEST), Thread::startVirtualThread);
            case ConnectWorker.NAME, SinkWorker.NAME ->
                ask(
                        port,
                        "/connectors?expand=status",
                        ConnectWorker.authorization(connectPassword),
                        PartHealth::connectors);
            case SchemaRegistry.NAME ->
                ask(
                        port,
                        SchemaRegistry.SUBJECTS,
                        "", // and so it refuses, if it is well
                        answer -> answer.statusCode() == 401 ? "" : "it answers " + answer.statusCode());
            case Simulators.NAME, TraceServer.NAME -> ask(port, "/health", "", PartHealth::isOk);
            case "prometheus", "alertmanager" -> ask(port, "/-/ready", "", PartHealth::isOk);
            default -> CompletableFuture.completedFuture("");
        };
    }

    private static CompletableFuture<String> ask(
            int port, String path, String authorization, Function<HttpResponse<String>, String> reading) {
        var request = HttpRequest.newBuilder(URI.create("http://" + HOST + ":" + port + path))
                .timeout(PATIENCE);
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        return HealthProbe.HTTP
                .sendAsync(request.build(), BodyHandlers.ofString())
                .thenApply(reading)
                .exceptionally(_ -> NO_ANSWER);
    }

    /** A connection that it closes is a reaction too: a listener with TLS does not understand the request. */
    private static String reacts(int port, byte[] request) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(HOST, port), (int) PATIENCE.toMillis());
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write(request);
            socket.getInputStream().read();
            return "";
        } catch (IOException _) {
            return NO_ANSWER;
        }
    }

    private static String service(HttpResponse<String> health) {
        if (health.statusCode() == 200) {
            return "";
        }
        var reasons = new ArrayList<String>();
        for (var check : json(health).path("checks")) {
            if (check.path("status").asText().equals("DOWN")) {
                // SmallRye has one check for all channels, and says of each how it is.
                var channels = StreamSupport.stream(check.path("data").spliterator(), false)
                        .map(JsonNode::asText)
                        .filter(detail -> detail.startsWith(CHANNEL_DOWN))
                        .map(detail -> detail.substring(CHANNEL_DOWN.length()))
                        .toList();
                reasons.addAll(channels.isEmpty() ? List.of(check.path("name").asText()) : channels);
            }
        }
        return reasons.isEmpty() ? "it does not say why" : String.join(", ", reasons);
    }

    private static String isOk(HttpResponse<String> answer) {
        return answer.statusCode() == 200 ? "" : "it answers " + answer.statusCode();
    }

    private static String connectors(HttpResponse<String> answer) {
        if (answer.statusCode() != 200) {
            return isOk(answer);
        }
        var idle = new ArrayList<String>();
        for (var connector : json(answer).properties()) {
            var status = connector.getValue().path("status");
            var states = new TreeSet<>(status.path("tasks").findValuesAsText("state"));
            if (states.isEmpty()) {
                states.add("WITHOUT A TASK");
            }
            states.add(status.at("/connector/state").asText());
            states.remove("RUNNING");
            if (!states.isEmpty()) {
                idle.add(connector.getKey() + " is "
                        + String.join(" and ", states).toLowerCase(Locale.ROOT));
            }
        }
        return String.join(", ", idle);
    }

    /** What is no JSON is an empty document. */
    private static JsonNode json(HttpResponse<String> response) {
        try {
            return JSON.readTree(response.body());
        } catch (JsonProcessingException _) {
            return JSON.createObjectNode();
        }
    }
}
