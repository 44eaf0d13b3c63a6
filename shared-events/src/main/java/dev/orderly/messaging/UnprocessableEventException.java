package dev.orderly.messaging;

import dev.orderly.database.DataRejectedException;

/** An event cannot be decoded, or must not take effect before another: it is parked with this reason. */
final class UnprocessableEventException extends DataRejectedException {

    private static final long serialVersionUID = 1L;

    private final ParkedEvents.Reason reason;

    UnprocessableEventException(ParkedEvents.Reason reason, String detail) {
        super(detail);
        this.reason = reason;
    }

    /**
     * The reason to park an event whose transaction failed; {@code FAILED} unless the exception names
     * another.
     */
    static ParkedEvents.Reason reason(DataRejectedException rejection) {
        return rejection instanceof UnprocessableEventException event ? event.reason : ParkedEvents.Reason.FAILED;
    }
}
