package dev.orderly.database;

/**
 * The work of a transaction failed because of its data: a repetition would fail again. An outage, a lock
 * timeout or a missing grant is never reported like this, since valid data must not be given up for it.
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
