package dev.orderly.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.observe.OtlpReceiver;
import dev.orderly.platform.observe.TraceServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.StreamSupport;

/** The spans of the running system: in its trace server where there is one, else in what stands in for it. */
final class TraceCollector implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final Map<String, List<JsonNode>> traces = new ConcurrentHashMap<>();
    private final HttpServer zipkin;
    private final OtlpReceiver receiver;

    TraceCollector() throws IOException {
        zipkin = HttpServer.create(new InetSocketAddress(PlatformSettings.HOST, 0), 0);
        zipkin.createContext("/", exchange -> {
            try (exchange) {
                for (var span : JSON.readTree(exchange.getRequestBody())) {
                    traces.computeIfAbsent(span.path("traceId").asText(), _ -> new CopyOnWriteArrayList<>())
                            .add(span);
                }
                exchange.sendResponseHeaders(202, -1);
            }
        });
        zipkin.start();
        receiver = new OtlpReceiver(0, url(zipkin.getAddress().getPort()));
    }

    private static URI url(int port) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + port);
    }

    /** Where services are to send their spans. */
    String endpoint() {
        return url(receiver.port()).toString();
    }

    /** What has come of a trace so far. */
    List<JsonNode> trace(String id) throws InterruptedException, IOException {
        if (!Boolean.getBoolean(RunningSystem.ZIPKIN)) {
            return traces.getOrDefault(id, List.of());
        }
        var platform = RunningSystem.platform();
        var trace = platform.ask("GET", platform.url(TraceServer.NAME, "/api/v2/trace/" + id), null);
        return StreamSupport.stream(JSON.readTree(trace.orElse("[]")).spliterator(), false)
                .toList();
    }

    @Override
    public void close() {
        receiver.close();
        zipkin.stop(0);
    }
}
