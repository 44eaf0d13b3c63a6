package dev.orderly.database;

import java.sql.SQLException;

/**
 * What a failure says about a repetition, by its SQLSTATE (<a
 * href="https://www.postgresql.org/docs/18/errcodes-appendix.html">PostgreSQL error codes</a>). Only an
 * outage may be repeated without end: anything else repeated like this would hold up all that is behind it.
 */
public enum FailureKind {

    /** The same data would fail again, at the latest when it is alone. */
    DATA,

    /** Time or memory did not suffice. A part of the batch may do; the data is valid, and never given up. */
    CAPACITY,

    /** The machine, the network or the installation; it ends without any change to the data. */
    OUTAGE,

    /** A bug of a statement or of the code, perhaps met by some data only: a few repetitions will tell. */
    UNEXPLAINED;

    static FailureKind of(SQLException failure) {
        var state = failure.getSQLState();
        if (state == null || state.length() < 2) {
            return OUTAGE; // of the pool, which has no connection
        }
        return switch (state) {
            case "25P03", "25P04" -> CAPACITY; // timeouts of a transaction
            case "53200" -> CAPACITY; // memory
            case "57014" -> CAPACITY; // timeout of a statement
            case "55P03" -> CAPACITY; // timeout of a lock, which may be on a row of one event alone
            case "25006" -> OUTAGE; // read-only
            // Grants, tables, columns, functions and schemas that are missing: all statements are constant,
            // so these fail for any data, until the installation is complete.
            case "42501", "42P01", "42703", "42883", "3F000" -> OUTAGE;
            case "08P01" -> UNEXPLAINED; // a violation of the protocol, for example by a message too long
            case "P0001" -> DATA; // raised by our own SQL
            default -> ofClass(state.substring(0, 2));
        };
    }

    /** The class of its SQLSTATE, such as 40 of all that roll back; {@code none} if the server gave none. */
    static String stateClass(SQLException failure) {
        var state = failure == null ? null : failure.getSQLState();
        return state == null || state.length() < 2 ? "none" : state.substring(0, 2);
    }

    private static FailureKind ofClass(String sqlStateClass) {
        return switch (sqlStateClass) {
            // Cardinality, data exception, constraint, program limit (such as the size of an index entry).
            case "21", "22", "23", "54" -> DATA;
            // Connection, authorization, catalogue, rollback (deadlock, serialization), resources, object in
            // use, operator intervention, system error, snapshot too old, configuration file.
            case "08", "28", "3D", "40", "53", "55", "57", "58", "72", "F0" -> OUTAGE;
            default -> UNEXPLAINED;
        };
    }
}
