package dev.orderly.platform.observe;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.resource.v1.Resource;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.ScopeSpans;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OtlpReceiverTest {

    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";
    private static final String PARENT = "b7ad6b7169203331";

    /** Nothing listens there. */
    private static final URI NOWHERE = URI.create("http://127.0.0.1:1/");

    private static ByteString bytes(String hex) {
        return ByteString.copyFrom(HexFormat.of().parseHex(hex));
    }

    private static KeyValue attribute(String key, AnyValue.Builder value) {
        return KeyValue.newBuilder().setKey(key).setValue(value).build();
    }

    private static ExportTraceServiceRequest request(Span.Builder span) {
        var service = attribute("service.name", AnyValue.newBuilder().setStringValue("some-service"));
        return ExportTraceServiceRequest.newBuilder()
                .addResourceSpans(ResourceSpans.newBuilder()
                        .setResource(Resource.newBuilder().addAttributes(service))
                        .addScopeSpans(ScopeSpans.newBuilder().addSpans(span)))
                .build();
    }

    private static Span.Builder span() {
        return Span.newBuilder()
                .setTraceId(bytes(TRACE))
                .setSpanId(bytes(SPAN))
                .setName("process a-topic")
                .setKind(Span.SpanKind.SPAN_KIND_CONSUMER)
                .setStartTimeUnixNano(2_000_000)
                .setEndTimeUnixNano(5_000_000);
    }

    @Test
    void a_span_is_for_zipkin_what_it_is_for_opentelemetry() {
        var sent = span().setParentSpanId(bytes(PARENT))
                .addAttributes(attribute("text", AnyValue.newBuilder().setStringValue("a")))
                .addAttributes(attribute("number", AnyValue.newBuilder().setIntValue(7)))
                .addLinks(Span.Link.newBuilder().setTraceId(bytes(TRACE)).setSpanId(bytes(PARENT)))
                .addLinks(Span.Link.newBuilder().setTraceId(bytes(TRACE)).setSpanId(bytes(SPAN)));

        assertThat(OtlpReceiver.spans(request(sent)))
                .containsExactly(Map.of(
                        "traceId",
                        TRACE,
                        "id",
                        SPAN,
                        "parentId",
                        PARENT,
                        "name",
                        "process a-topic",
                        "kind",
                        "CONSUMER",
                        "timestamp",
                        2_000L,
                        "duration",
                        3_000L,
                        "localEndpoint",
                        Map.of("serviceName", "some-service"),
                        "tags",
                        Map.of(
                                "text",
                                "a",
                                "number",
                                "7",
                                "otel.links",
                                TRACE + "-" + PARENT + "," + TRACE + "-" + SPAN)));
    }

    @Test
    void what_failed_is_an_error_and_what_took_no_time_took_the_least() {
        var sent = span().setEndTimeUnixNano(2_000_000)
                .setStatus(Status.newBuilder().setCode(Status.StatusCode.STATUS_CODE_ERROR))
                .addAttributes(attribute("error.type", AnyValue.newBuilder().setStringValue("java.io.IOException")));

        assertThat(OtlpReceiver.spans(request(sent)))
                .singleElement()
                .satisfies(json -> assertThat(json)
                        .containsEntry("duration", 1L)
                        .doesNotContainKey("parentId")
                        .containsEntry(
                                "tags",
                                Map.of(
                                        "error.type", "java.io.IOException",
                                        "error", "java.io.IOException",
                                        "otel.status_code", "ERROR")));
    }

    @Test
    void a_body_that_is_no_otlp_is_refused_and_without_zipkin_the_sender_may_try_again() throws Exception {
        try (var receiver = new OtlpReceiver(0, NOWHERE);
                var client = HttpClient.newHttpClient()) {
            var url = URI.create("http://127.0.0.1:" + receiver.port() + "/v1/traces");
            for (var sent : Map.of(
                            400, "nonsense".getBytes(), 503, request(span()).toByteArray())
                    .entrySet()) {
                var post = HttpRequest.newBuilder(url)
                        .POST(BodyPublishers.ofByteArray(sent.getValue()))
                        .build();

                assertThat(client.send(post, BodyHandlers.discarding()).statusCode())
                        .isEqualTo(sent.getKey());
            }
        }
    }
}
