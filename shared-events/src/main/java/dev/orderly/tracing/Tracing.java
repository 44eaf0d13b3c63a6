package dev.orderly.tracing;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Makes the spans of traces that are sampled, and exports them by OTLP. Where a trace begins it is decided
 * whether it is sampled, and its {@code traceparent} says so from then on; of any other trace nothing is
 * made. Without an endpoint none is, and there is no exporter, no queue and no thread.
 *
 * <p>A trace server that is slow or away costs spans, and nothing else: they are queued up to a limit, and
 * dropped beyond it.
 */
@ApplicationScoped
public class Tracing {

    /** The event's key: an order id, by which its traces can be searched. */
    public static final AttributeKey<String> ORDER_ID = AttributeKey.stringKey("orderly.order.id");

    private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");

    /** About 4 MB. At 5 % of 1,000 orders/s a service fills it in some ten seconds. */
    private static final int MAX_QUEUED_SPANS = 4_096;

    private static final Duration EXPORT_INTERVAL = Duration.ofSeconds(1);
    private static final Duration EXPORT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(1);

    private final SdkTracerProvider provider;
    private final Tracer tracer;
    private final double sampling;

    /**
     * @param endpoint of OTLP over HTTP, to which {@code /v1/traces} is added; without it nothing is traced
     * @param sampling the part of the traces that begin here which is sampled, from 0 to 1
     */
    @Inject
    Tracing(
            @ConfigProperty(name = "orderly.traces.endpoint") Optional<String> endpoint,
            @ConfigProperty(name = "orderly.traces.sampling") double sampling,
            @ConfigProperty(name = "quarkus.application.name") String service) {
        this(endpoint.map(Tracing::otlp).orElse(null), sampling, service);
    }

    private Tracing(SpanExporter exporter, double sampling, String service) {
        this.provider = exporter == null ? null : provider(exporter, service);
        this.tracer = provider == null ? null : provider.get("dev.orderly");
        this.sampling = sampling;
    }

    /** One that exports to where a test can see it. */
    public static Tracing exportingTo(SpanExporter exporter, double sampling) {
        return new Tracing(exporter, sampling, "test");
    }

    private static SpanExporter otlp(String endpoint) {
        return OtlpHttpSpanExporter.builder()
                .setEndpoint(endpoint.replaceFirst("/$", "") + "/v1/traces")
                .setTimeout(EXPORT_TIMEOUT)
                .build();
    }

    private static SdkTracerProvider provider(SpanExporter exporter, String service) {
        // Every span that is begun is exported: those of traces that are not sampled are not begun.
        return SdkTracerProvider.builder()
                .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), service)))
                .addSpanProcessor(BatchSpanProcessor.builder(exporter)
                        .setMaxQueueSize(MAX_QUEUED_SPANS)
                        .setScheduleDelay(EXPORT_INTERVAL)
                        .setExporterTimeout(EXPORT_TIMEOUT)
                        .build())
                .build();
    }

    /** Makes the one instance, so that a wrong endpoint shows at the start and not at the first request. */
    void start(@Observes StartupEvent event) {}

    /** Waits for what is queued, but no longer than a stop may take. */
    @PreDestroy
    public void close() {
        if (provider != null) {
            provider.shutdown().join(SHUTDOWN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Whether spans are made at all. */
    public boolean isOn() {
        return provider != null;
    }

    /** Whether spans of this trace are made. */
    public boolean follows(String traceparent) {
        return isOn() && Traceparent.isSampled(traceparent);
    }

    /** Decides whether a trace that begins here is sampled. */
    public boolean samples() {
        return isOn() && ThreadLocalRandom.current().nextDouble() < sampling;
    }

    /** Begins a span whose parent is the step that {@code traceparent} names, if that trace is followed. */
    public Span start(String name, SpanKind kind, String traceparent) {
        return follows(traceparent) ? span(name, kind, traceparent).startSpan() : Span.getInvalid();
    }

    /** Begins a trace, which is sampled. */
    public SpanBuilder root(String name, SpanKind kind) {
        return tracer.spanBuilder(name).setSpanKind(kind).setNoParent();
    }

    /** @param traceparent of a trace that is {@linkplain #follows followed} */
    public SpanBuilder span(String name, SpanKind kind, String traceparent) {
        var parent = Span.wrap(context(traceparent));
        return tracer.spanBuilder(name)
                .setSpanKind(kind)
                .setParent(Context.root().with(parent));
    }

    /** @param traceparent a valid one */
    public static SpanContext context(String traceparent) {
        return Traceparent.context(traceparent);
    }

    /** Without the message of the failure, which may quote what a person has entered. */
    public static void fail(Span span, Throwable failure) {
        span.setStatus(StatusCode.ERROR)
                .setAttribute(ERROR_TYPE, failure.getClass().getName());
    }
}
