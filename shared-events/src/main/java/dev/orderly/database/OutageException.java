package dev.orderly.database;

/**
 * Another system that a transaction needs, beside the database, does not answer. The work is repeated as in
 * an outage of the database: its data is valid, and must not be given up.
 */
public final class OutageException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param detail names the system and what it did, as an operator reads it */
    public OutageException(String detail, Throwable cause) {
        super(detail, cause);
    }

    /** Whether such an outage caused an exception. */
    public static boolean isCauseOf(Throwable failure) {
        return Causes.of(failure).anyMatch(OutageException.class::isInstance);
    }
}
