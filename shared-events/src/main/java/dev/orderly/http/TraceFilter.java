package dev.orderly.http;

import dev.orderly.tracing.LogFields;
import dev.orderly.tracing.Traceparent;
import dev.orderly.tracing.Tracing;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ResourceInfo;
import java.util.Set;
import java.util.regex.Pattern;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jboss.resteasy.reactive.server.ServerResponseFilter;

/**
 * Where traces begin: each command is in the trace that its {@code traceparent} names, or in a new one, and
 * the answer names it in {@code traceresponse}. Whether a new trace is sampled is decided here, once for all
 * that will follow from the command; of a trace that a caller has begun, the caller has decided. A query
 * changes nothing, so no trace begins with it.
 */
class TraceFilter {

    /** Of the draft of <a href="https://w3c.github.io/trace-context/#traceresponse-header">level 2</a>. */
    static final String RESPONSE = "traceresponse";

    private static final Set<String> QUERIES = Set.of("GET", "HEAD", "OPTIONS");
    private static final String ORDERS = "/orders/";
    private static final Pattern ORDER = Pattern.compile("[0-9a-f-]{36}\\b");
    private static final String SPAN = TraceFilter.class.getName();

    private static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    private static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    private static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");

    private final Tracing tracing;

    TraceFilter(Tracing tracing) {
        this.tracing = tracing;
    }

    @ServerRequestFilter
    void begin(ContainerRequestContext request, ResourceInfo resource) {
        var trace = request.getHeaderString(Traceparent.HEADER);
        if (!QUERIES.contains(request.getMethod())) {
            trace = stepOf(request, resource, trace);
            // Resources take it from there, as they would take the caller's.
            request.getHeaders().putSingle(Traceparent.HEADER, trace);
        }
        var order = order(request.getUriInfo().getPath());
        if (trace != null || order != null) {
            LogFields.set(order, null, trace); // they end with the request, whose context holds them
        }
    }

    private static String order(String path) {
        if (!path.startsWith(ORDERS)) {
            return null;
        }
        var order = ORDER.matcher(path.substring(ORDERS.length()));
        return order.lookingAt() ? order.group() : null;
    }

    private String stepOf(ContainerRequestContext request, ResourceInfo resource, String given) {
        var continues = Traceparent.isValid(given);
        if (continues ? !tracing.follows(given) : !tracing.samples()) {
            return continues ? given : Traceparent.following(null);
        }
        var route = route(resource);
        var name = request.getMethod() + " " + route;
        var builder = continues ? tracing.span(name, SpanKind.SERVER, given) : tracing.root(name, SpanKind.SERVER);
        var span = builder.setAttribute(METHOD, request.getMethod())
                .setAttribute(ROUTE, route)
                .startSpan();
        request.setProperty(SPAN, span);
        return Traceparent.of(span.getSpanContext());
    }

    /** With the names of its parameters, not their values. */
    private static String route(ResourceInfo resource) {
        var ofClass = resource.getResourceClass().getAnnotation(Path.class);
        var ofMethod = resource.getResourceMethod().getAnnotation(Path.class);
        return (ofClass == null ? "" : ofClass.value()) + (ofMethod == null ? "" : "/" + ofMethod.value());
    }

    @ServerResponseFilter
    void end(ContainerRequestContext request, ContainerResponseContext response) {
        var trace = request.getHeaderString(Traceparent.HEADER);
        if (QUERIES.contains(request.getMethod()) || !Traceparent.isValid(trace)) {
            return; // or it was rejected before it had a trace
        }
        response.getHeaders().putSingle(RESPONSE, trace);
        if (request.getProperty(SPAN) instanceof Span span) {
            span.setAttribute(STATUS, (long) response.getStatus());
            if (response.getStatus() >= 500) {
                span.setStatus(StatusCode.ERROR);
            }
            span.end();
        }
    }
}
