package dev.orderly.tracing;

import org.jboss.logging.MDC;

/**
 * Which order, event and trace a line of the log concerns: fields that every line has while they are set. In
 * JSON they are under {@code mdc}; the text format does not show them.
 */
public final class LogFields {

    private static final String ORDER = "orderId";
    private static final String EVENT = "eventId";
    private static final String TRACE = "traceId";

    private LogFields() {}

    /**
     * Until they are {@linkplain #clear cleared}, or set to others.
     *
     * @param traceparent may be missing or malformed; the others may be null
     */
    public static void set(Object orderId, Object eventId, String traceparent) {
        set(ORDER, orderId);
        set(EVENT, eventId);
        set(TRACE, Traceparent.isValid(traceparent) ? Traceparent.traceId(traceparent) : null);
    }

    private static void set(String field, Object value) {
        if (value == null) {
            MDC.remove(field);
        } else {
            MDC.put(field, value.toString());
        }
    }

    public static void clear() {
        set(null, null, null);
    }
}
