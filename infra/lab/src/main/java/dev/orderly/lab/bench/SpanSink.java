package dev.orderly.lab.bench;

import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.Map;

/** Takes spans and drops them: what is measured is what it costs to make them. */
final class SpanSink implements AutoCloseable {
    private final HttpServer server;

    SpanSink() throws IOException {
        server = HttpServer.create(new InetSocketAddress(PlatformSettings.HOST, 0), 0);
        server.createContext("/v1/traces", exchange -> {
            try (exchange) {
                exchange.getRequestBody().transferTo(OutputStream.nullOutputStream());
                exchange.sendResponseHeaders(200, -1);
            }
        });
        server.start();
    }

    /** Of services that send their spans here; which orders are traced, the load generator decides. */
    Map<String, String> settings() {
        return Map.of(
                "ORDERLY_TRACES_ENDPOINT",
                "http://" + PlatformSettings.HOST + ":" + server.getAddress().getPort(),
                "ORDERLY_TRACES_SAMPLING",
                "0");
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
