package dev.orderly.platform.observe;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.InvalidProtocolBufferException;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes spans by OTLP and hands them on to Zipkin, which has no endpoint for that: the one trace server that
 * can be had as a Maven artifact. Spans are translated as <a
 * href="https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/">OpenTelemetry specifies</a>;
 * links, which Zipkin does not know, become a tag.
 */
public final class OtlpReceiver implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OtlpReceiver.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(3);
    private static final int MAX_BODY_BYTES = 4 << 20;
    private static final int QUEUED_CONNECTIONS = 16;
    /** Each trace id and span id of a link, separated by a hyphen; links by commas. */
    private static final String LINKS = "otel.links";

    private static final HexFormat HEX = HexFormat.of();
    private static final JsonMapper JSON = new JsonMapper();

    private final URI zipkin;
    private final HttpServer server;
    // Not HTTP/2: Zipkin would be asked to change the protocol by a request with a long body.
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIMEOUT)
            .build();

    /**
     * Receives until it is closed, one request at a time: the services queue what they have, up to a limit.
     *
     * @param port 0 for any that is free
     * @param zipkin where Zipkin takes spans
     */
    public OtlpReceiver(int port, URI zipkin) {
        this.zipkin = zipkin;
        try {
            server = HttpServer.create(new InetSocketAddress(PlatformSettings.HOST, port), QUEUED_CONNECTIONS);
        } catch (IOException e) {
            throw new CommandFailedException("cannot listen on port " + port + ": " + e.getMessage(), e);
        }
        server.createContext("/v1/traces", this::receive);
        server.start();
    }

    public int port() {
        return server.getAddress().getPort();
    }

    private void receive(HttpExchange exchange) throws IOException {
        try (exchange) {
            var body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
            exchange.sendResponseHeaders(body.length > MAX_BODY_BYTES ? 413 : handOn(body), -1);
        }
    }

    /** Returns the status to answer with; after a 503 the service sends the same again, a few times. */
    private int handOn(byte[] body) throws IOException {
        try {
            var json = JSON.writeValueAsBytes(spans(ExportTraceServiceRequest.parseFrom(body)));
            var request = HttpRequest.newBuilder(zipkin)
                    .timeout(TIMEOUT)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofByteArray(json))
                    .build();
            return http.send(request, BodyHandlers.discarding()).statusCode() / 100 == 2 ? 200 : 503;
        } catch (InvalidProtocolBufferException e) {
            LOG.info("not OTLP: {}", e.getMessage());
            return 400;
        } catch (IOException _) {
            return 503; // it is away or slow: ./orderly status says so
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return 503;
        }
    }

    static List<Map<String, Object>> spans(ExportTraceServiceRequest request) {
        var spans = new ArrayList<Map<String, Object>>();
        for (var resource : request.getResourceSpansList()) {
            var service = resource.getResource().getAttributesList().stream()
                    .filter(attribute -> attribute.getKey().equals("service.name"))
                    .map(attribute -> text(attribute.getValue()))
                    .findFirst()
                    .orElse("unknown");
            for (var scope : resource.getScopeSpansList()) {
                scope.getSpansList().forEach(span -> spans.add(json(span, service)));
            }
        }
        return spans;
    }

    private static Map<String, Object> json(Span span, String service) {
        var json = new LinkedHashMap<String, Object>();
        json.put("traceId", hex(span.getTraceId().toByteArray()));
        json.put("id", hex(span.getSpanId().toByteArray()));
        if (!span.getParentSpanId().isEmpty()) {
            json.put("parentId", hex(span.getParentSpanId().toByteArray()));
        }
        json.put("name", span.getName());
        if (span.getKind() != Span.SpanKind.SPAN_KIND_INTERNAL) {
            json.put("kind", span.getKind().name().replace("SPAN_KIND_", ""));
        }
        json.put("timestamp", span.getStartTimeUnixNano() / 1_000);
        // Zipkin takes 0 for "unknown".
        json.put("duration", Math.max(1, (span.getEndTimeUnixNano() - span.getStartTimeUnixNano()) / 1_000));
        json.put("localEndpoint", Map.of("serviceName", service));
        json.put("tags", tags(span));
        return json;
    }

    private static Map<String, String> tags(Span span) {
        var tags = span.getAttributesList().stream()
                .collect(Collectors.toMap(
                        KeyValue::getKey,
                        attribute -> text(attribute.getValue()),
                        (_, last) -> last,
                        LinkedHashMap::new));
        if (span.getLinksCount() > 0) {
            tags.put(
                    LINKS,
                    span.getLinksList().stream()
                            .map(link -> hex(link.getTraceId().toByteArray()) + "-"
                                    + hex(link.getSpanId().toByteArray()))
                            .collect(Collectors.joining(",")));
        }
        if (span.getStatus().getCode() == StatusCode.STATUS_CODE_ERROR) {
            tags.put("otel.status_code", "ERROR");
            tags.put("error", tags.getOrDefault("error.type", "true"));
        }
        return tags;
    }

    private static String hex(byte[] id) {
        return HEX.formatHex(id);
    }

    /** Of the kinds that the services send. */
    private static String text(AnyValue value) {
        return value.hasStringValue() ? value.getStringValue() : String.valueOf(value.getIntValue());
    }

    @Override
    public void close() {
        server.stop(0);
        http.shutdownNow();
    }
}
