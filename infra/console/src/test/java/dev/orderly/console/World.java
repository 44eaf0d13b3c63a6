package dev.orderly.console;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.simulator.http.JsonServer;
import dev.orderly.simulator.http.JsonServer.Request;
import dev.orderly.simulator.http.JsonServer.Response;
import dev.orderly.simulator.identity.IdentityProvider;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What the console needs around it: an identity provider, one web server for all services, no brokers. */
public class World implements QuarkusTestResourceLifecycleManager {

    private IdentityProvider identity;
    private JsonServer service;

    @Override
    public Map<String, String> start() {
        try {
            var here = InetAddress.getByName("127.0.0.1");
            int port = freePort();
            identity = new IdentityProvider(
                    new InetSocketAddress(here, 0),
                    "https://identity.test",
                    "the secret",
                    Set.of("http://127.0.0.1:" + port + "/login"),
                    Files.createTempDirectory("console-test").resolve("key.json"));
            service = new JsonServer(new InetSocketAddress(here, 0), "", World::respond);
            var settings = new HashMap<String, String>();
            settings.put("quarkus.http.test-port", String.valueOf(port));
            settings.put("console.hosts", "console.test");
            settings.put("quarkus.oidc.auth-server-url", "https://identity.test");
            for (var path : Map.of("authorization-path", "/authorize", "token-path", "/token", "jwks-path", "/jwks")
                    .entrySet()) {
                settings.put("quarkus.oidc." + path.getKey(), "http://127.0.0.1:" + identity.port() + path.getValue());
            }
            for (var name : Set.of("orders", "inventory", "payments", "notifications")) {
                settings.put("console.services." + name, "http://127.0.0.1:" + service.port());
            }
            settings.put("kafka.bootstrap.servers", "127.0.0.1:" + freePort()); // where nothing listens
            settings.put("quarkus.log.category.\"org.apache.kafka\".level", "OFF");
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Says what it was sent. */
    private static Response respond(Request request) {
        if (request.route().startsWith("POST /refused")) {
            var problem = "{\"title\":\"Unprocessable Content\",\"status\":422,\"detail\":\"no such product\"}"
                    .getBytes(UTF_8);
            return new Response(
                    422, problem.length, out -> out.write(problem), Map.of("Content-Type", "application/problem+json"));
        }
        var echo = new HashMap<String, String>();
        echo.put("route", request.route());
        echo.put("query", request.query());
        echo.put("body", new String(request.body(), UTF_8));
        for (var name : Set.of("Authorization", "Cookie", "Idempotency-Key")) {
            echo.put(name, Objects.requireNonNullElse(request.headers().getFirst(name), ""));
        }
        int status = request.route().startsWith("GET") ? 200 : 202;
        var json = Response.json(status, echo);
        return new Response(status, json.length(), json.body(), Map.of("Location", "/orders/1?version=1"));
    }

    @Override
    public void stop() {
        identity.close();
        service.close();
    }
}
