package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a service needs of a schema registry, kept in memory: a schema gets an id, and is found by it. It can
 * be away; the process that asks for it may be another than the one that has it, so this is said by HTTP.
 */
public class FakeSchemaRegistry implements QuarkusTestResourceLifecycleManager {

    private static final String AWAY = "/away/";
    private static final String IDS = "/schemas/ids/";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The body of each schema that was registered; its id is the position in here, from 1. */
    private final List<String> schemas = new ArrayList<>();

    private HttpServer server;
    private boolean away;

    @Override
    public Map<String, String> start() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::answer);
        server.start();
        return Map.of(
                "orderly.registry.url",
                "http://127.0.0.1:" + server.getAddress().getPort());
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        var path = exchange.getRequestURI().getPath();
        var body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        if (path.startsWith(AWAY)) {
            away = Boolean.parseBoolean(path.substring(AWAY.length()));
            send(exchange, 200, "{}");
        } else if (away) {
            send(exchange, 503, "<html>not now</html>");
        } else if (path.startsWith(IDS)) {
            var id = Long.parseLong(path.substring(IDS.length()));
            if (id < 1 || id > schemas.size()) {
                send(exchange, 404, "{\"error_code\":40403,\"message\":\"Schema not found\"}");
            } else {
                send(exchange, 200, schemas.get((int) id - 1));
            }
        } else {
            if (!schemas.contains(body)) {
                schemas.add(body);
            }
            send(
                    exchange,
                    200,
                    JSON.createObjectNode().put("id", schemas.indexOf(body) + 1).toString());
        }
    }

    private static void send(HttpExchange exchange, int status, String body) throws IOException {
        var bytes = body.getBytes(UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** From now on the registry at this address answers nothing that helps, or answers again. */
    public static void setAway(URI registry, boolean away) throws IOException, InterruptedException {
        try (var client = HttpClient.newHttpClient()) {
            var request =
                    HttpRequest.newBuilder(URI.create(registry + AWAY + away)).POST(BodyPublishers.noBody());
            client.send(request.build(), BodyHandlers.discarding());
        }
    }

    @Override
    public void stop() {
        if (server != null) {
            server.stop(0);
        }
    }
}
