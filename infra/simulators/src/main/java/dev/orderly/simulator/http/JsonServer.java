package dev.orderly.simulator.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Bounded bodies, JSON, a virtual thread per request, a bearer token, and {@code GET /health} without it. */
public final class JsonServer implements AutoCloseable {

    public static final JsonMapper JSON = new JsonMapper();

    private static final int MAX_BODY_BYTES = 16 * 1024;

    private final HttpServer server;
    private final List<byte[]> authorizations;
    private final Handler handler;

    /** Replies to a request. */
    public interface Handler {
        Response respond(Request request) throws IOException, InterruptedException;
    }

    /**
     * @param route method and path, such as {@code GET /messages}
     * @param query what follows the question mark, as it was sent; empty if there is none
     */
    public record Request(String route, String query, Headers headers, byte[] body) {
        public JsonNode json() throws IOException {
            return JSON.readTree(body);
        }
    }

    /**
     * @param length of the body in bytes; 0 if it is unknown: then it is sent in chunks; -1 if there is none
     * @param headers besides those that say what the body is; a {@code Content-Type} replaces JSON's
     */
    public record Response(int status, long length, Body body, Map<String, String> headers) {

        public Response(int status, long length, Body body) {
            this(status, length, body, Map.of());
        }

        /** May be larger than the memory. */
        public interface Body {
            void writeTo(OutputStream out) throws IOException;
        }

        public static Response json(int status, Object value) {
            var bytes = JSON.valueToTree(value).toString().getBytes(UTF_8);
            return new Response(status, bytes.length, out -> out.write(bytes));
        }

        public static Response ok() {
            return json(200, Map.of());
        }

        public static Response error(int status, String why) {
            return json(status, Map.of("error", why));
        }
    }

    /**
     * @param apiKeys the bearer token that a request must have, or two separated by a comma, of which it must
     *     have one; empty: anyone may ask
     */
    public JsonServer(InetSocketAddress address, String apiKeys, Handler handler) throws IOException {
        this.authorizations = Stream.of(apiKeys.split(","))
                .filter(Predicate.not(String::isEmpty))
                .map(key -> ("Bearer " + key).getBytes(UTF_8))
                .toList();
        this.handler = handler;
        server = HttpServer.create(address, 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var response = respond(exchange);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            response.headers().forEach(exchange.getResponseHeaders()::set);
            exchange.sendResponseHeaders(response.status(), response.length());
            response.body().writeTo(exchange.getResponseBody());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private Response respond(HttpExchange exchange) throws IOException, InterruptedException {
        var route = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        if (route.equals("GET /health")) {
            return Response.ok();
        }
        var headers = exchange.getRequestHeaders();
        if (!isOwnName(headers.getFirst("Host"))) {
            return Response.error(421, "no server of this name is here");
        }
        if (!authorizations.isEmpty() && !isAuthorized(headers.getFirst("Authorization"))) {
            return Response.error(401, "who are you?");
        }
        var body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
        if (body.length > MAX_BODY_BYTES) {
            return Response.error(413, "a body has at most " + MAX_BODY_BYTES + " bytes");
        }
        try {
            var query = Objects.requireNonNullElse(exchange.getRequestURI().getRawQuery(), "");
            return handler.respond(new Request(route, query, headers, body));
        } catch (JsonProcessingException _) {
            return Response.error(400, "not JSON");
        }
    }

    /**
     * An address, or a name without a dot: any other may be a site's that is made to lead here (DNS
     * rebinding), whose page could then read what this answers.
     */
    private static boolean isOwnName(String host) {
        return host == null || host.startsWith("[") || host.matches("[0-9.:]+|[^.]+");
    }

    private boolean isAuthorized(String header) {
        return header != null
                && authorizations.stream().anyMatch(valid -> MessageDigest.isEqual(header.getBytes(UTF_8), valid));
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
