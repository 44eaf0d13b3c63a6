package dev.orderly.messaging;

/** An event cannot take effect now, and trying again right away would not help. The outage of a database is none of these. */
final class EventFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final ParkedEvents.Reason reason;

    EventFailure(ParkedEvents.Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    /** The handler, or a statement of its, refused the event. */
    EventFailure(RuntimeException refusal) {
        super(refusal.toString(), refusal);
        this.reason = ParkedEvents.Reason.FAILED;
    }

    ParkedEvents.Reason reason() {
        return reason;
    }
}
