package dev.orderly.database;

/**
 * The work of a transaction failed and a repetition would fail again, as far as that can be told: because of
 * its data, or for a reason that lasts and is no outage. An outage, a lock timeout or a missing grant is
 * never reported like this, since valid data must not be given up for it.
 */
public class DataRejectedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    protected DataRejectedException(String detail) {
        super(detail);
    }

    /** A statement or a handler rejected the data; its message is what an operator reads. */
    public DataRejectedException(RuntimeException cause) {
        super(cause.toString(), cause);
    }
}
