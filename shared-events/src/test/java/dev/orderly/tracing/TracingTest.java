package dev.orderly.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class TracingTest {

    private static final String SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void without_an_endpoint_there_are_no_spans_and_no_threads() {
        var before = exporters();
        var tracing = new Tracing(Optional.empty(), 1, "test");

        assertThat(tracing.isOn()).isFalse();
        assertThat(tracing.samples()).isFalse();
        assertThat(tracing.follows(SAMPLED)).isFalse();
        assertThat(tracing.start("anything", SpanKind.CLIENT, SAMPLED)).isSameAs(Span.getInvalid());
        assertThat(exporters()).isLessThanOrEqualTo(before);
    }

    private static long exporters() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().contains("BatchSpanProcessor"))
                .count();
    }

    @Test
    void a_trace_that_begins_here_is_sampled_as_often_as_configured() {
        var tracing = Tracing.exportingTo(new Hanging(), 0.05);

        var sampled = 0;
        for (var i = 0; i < 10_000; i++) {
            sampled += tracing.samples() ? 1 : 0;
        }

        assertThat(sampled).isBetween(300, 700); // 500 ± 9 standard deviations
        assertThat(tracing.follows(SAMPLED)).isTrue();
        assertThat(tracing.follows(SAMPLED.replaceFirst("1$", "0"))).isFalse();
        tracing.close();
    }

    /** A server that takes spans and never answers. */
    private static final class Hanging implements SpanExporter {
        private final AtomicInteger exported = new AtomicInteger();

        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            exported.addAndGet(spans.size());
            return new CompletableResultCode();
        }

        @Override
        public CompletableResultCode flush() {
            return new CompletableResultCode();
        }

        @Override
        public CompletableResultCode shutdown() {
            return new CompletableResultCode();
        }
    }

    @Test
    @Timeout(60)
    void a_server_that_hangs_holds_nothing_up_and_costs_spans_alone() {
        var server = new Hanging();
        var tracing = Tracing.exportingTo(server, 1);

        for (var i = 0; i < 100_000; i++) {
            tracing.start("anything", SpanKind.CLIENT, SAMPLED).end();
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> server.exported.get() > 0);
        tracing.close();

        assertThat(server.exported).hasValueLessThan(100_000);
    }
}
