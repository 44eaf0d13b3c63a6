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
        return Causes.of(failure)
                .filter(SQLException.class::isInstance)
                .findFirst()
                .map(SQLException.class::cast)
                .orElse(null);
    }

    /** Whether the same data would fail again, see {@link FailureKind#DATA}. */
    public static boolean isCausedByData(SQLException failure) {
        return FailureKind.of(failure) == FailureKind.DATA;
    }
}
