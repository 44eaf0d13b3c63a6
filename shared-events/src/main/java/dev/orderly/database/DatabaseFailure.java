package dev.orderly.database;

import java.sql.SQLException;

/** A statement failed. Distinguishes transient failures from those that the data causes. */
public final class DatabaseFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    DatabaseFailure(SQLException cause) {
        super(cause);
    }

    /** The failure of a statement that caused an exception, or null when no statement did. */
    public static SQLException causeOf(Throwable failure) {
        for (var cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /**
     * Whether the same data would fail again: a data exception (class 22), a violated constraint (23), or an
     * exception that our own SQL raised (P0001). All else, from a lost connection to a missing table or
     * grant, is an outage or a mistake of operation or of the code, and no reason to give up valid data.
     * Classes: <a href="https://www.postgresql.org/docs/18/errcodes-appendix.html">PostgreSQL error
     * codes</a>.
     */
    public static boolean isCausedByData(SQLException failure) {
        var state = failure.getSQLState();
        return state != null && (state.startsWith("22") || state.startsWith("23") || state.equals("P0001"));
    }
}
