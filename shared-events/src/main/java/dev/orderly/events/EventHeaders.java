package dev.orderly.events;

/**
 * The names of the headers of a record, each a UTF-8 string. The value can be understood without them, but
 * for the content type where it is not JSON.
 */
public final class EventHeaders {

    /** The event's own id, a UUIDv7, by which it is deduplicated. */
    public static final String ID = "id";

    /** The simple name of the event's record, see {@link Event}; a reader skips by it without parsing. */
    public static final String TYPE = "type";

    /** The service that published the event. */
    public static final String SOURCE = "source";

    /** 1, 2, 3 … per key and source, without gaps. */
    public static final String VERSION = "version";

    /** The version of the vocabulary that its reader must know, see {@link Event#schema}. */
    public static final String SCHEMA = "schema";

    /** What the value is, see {@link EventFormat}; none with JSON. */
    public static final String CONTENT_TYPE = "content-type";

    /** The event's trace, see <a href="https://www.w3.org/TR/trace-context/">W3C Trace Context</a>. */
    public static final String TRACEPARENT = "traceparent";

    /** The row of the publisher's outbox, by which its auditor detects what has arrived. */
    public static final String SEQ = "seq";

    private EventHeaders() {}
}
