package dev.orderly.platform.connect;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Held while relays are stopped or paused on purpose; without it {@link ConnectorReconciler} resumes them. It
 * is a lock of the session, so it ends with its holder, however that ends: Connect remembers that a connector
 * is paused, and the process that was to resume it may have died.
 */
public final class RelayPauseLock implements AutoCloseable {

    private static final String LOCK = "(hashtextextended('relays are paused', 0))";
    private static final int VALIDATION_SECONDS = 10;

    private final Connection session;

    private RelayPauseLock(Connection session) {
        this.session = session;
    }

    /** It is shared. @param session to the database {@code postgres}; closed with it */
    public static RelayPauseLock take(Connection session) throws SQLException {
        try (var statement = session.createStatement()) {
            statement.execute("SELECT pg_advisory_lock_shared" + LOCK);
            return new RelayPauseLock(session);
        } catch (SQLException e) {
            session.close();
            throw e;
        }
    }

    /** @param session closed by the caller after it, since a lock that it gets is released with it */
    static boolean isTaken(Connection session) throws SQLException {
        try (var statement = session.createStatement();
                var row = statement.executeQuery("SELECT pg_try_advisory_lock" + LOCK)) {
            row.next();
            return !row.getBoolean(1);
        }
    }

    /** False if PostgreSQL or the connection to it was lost. */
    public boolean isValid() throws SQLException {
        return session.isValid(VALIDATION_SECONDS);
    }

    @Override
    public void close() throws SQLException {
        session.close();
    }
}
