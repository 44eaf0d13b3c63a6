package dev.orderly.tracing;

import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * The {@code traceparent} of <a href="https://www.w3.org/TR/trace-context/">W3C Trace Context</a>, version
 * 00. It stays a string from header to header: most traces are not sampled, and need no more.
 */
public final class Traceparent {

    public static final String HEADER = "traceparent";

    private static final Pattern VALID = Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
    private static final int TRACE_BEGIN = "00-".length();
    private static final int TRACE_END = TRACE_BEGIN + 32;
    private static final int SPAN_END = TRACE_END + 1 + 16;
    private static final int LENGTH = SPAN_END + 1 + 2;
    private static final String NOT_SAMPLED = "-00";

    private Traceparent() {}

    public static boolean isValid(String traceparent) {
        return traceparent != null && VALID.matcher(traceparent).matches();
    }

    /** Whether it was decided, where the trace began, that its spans are recorded. */
    public static boolean isSampled(String traceparent) {
        return traceparent != null
                && traceparent.length() == LENGTH
                && (Character.digit(traceparent.charAt(LENGTH - 1), 16) & 1) == 1
                && isValid(traceparent);
    }

    /**
     * A step in the trace of the given one, as sampled as that; the first step of a new trace, which is not
     * sampled, when that is missing or malformed.
     */
    public static String following(String traceparent) {
        var random = ThreadLocalRandom.current();
        // An all-zero id would be invalid, and is never seen: the odds are 2^-64.
        var span = HexFormat.of().toHexDigits(random.nextLong());
        if (isValid(traceparent)) {
            return traceparent.substring(0, TRACE_END) + "-" + span + traceparent.substring(SPAN_END);
        }
        var trace =
                HexFormat.of().toHexDigits(random.nextLong()) + HexFormat.of().toHexDigits(random.nextLong());
        return "00-" + trace + "-" + span + NOT_SAMPLED;
    }

    /** @param traceparent a valid one */
    public static String traceId(String traceparent) {
        return traceparent.substring(TRACE_BEGIN, TRACE_END);
    }

    /** The same for OpenTelemetry. */
    static SpanContext context(String traceparent) {
        return SpanContext.createFromRemoteParent(
                traceId(traceparent),
                traceparent.substring(TRACE_END + 1, SPAN_END),
                TraceFlags.fromHex(traceparent, SPAN_END + 1),
                TraceState.getDefault());
    }

    public static String of(SpanContext span) {
        return "00-" + span.getTraceId() + "-" + span.getSpanId() + "-"
                + span.getTraceFlags().asHex();
    }
}
