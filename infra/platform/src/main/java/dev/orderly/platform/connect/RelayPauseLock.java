package dev.orderly.platform.connect;

import java.sql.Connection;
import java.sql.SQLException;

/**
 * Whoever stops or pauses relays on purpose holds this meanwhile; those that are not held are resumed by {@link
 * OutboxConnectors}. It is a lock of the session, so it ends with its holder, however that ends: Connect remembers that a
 * connector is at rest, and whoever was to resume it may be gone.
 */
public final class RelayPauseLock implements AutoCloseable {

    private static final String LOCK = "(hashtextextended('relays are paused', 0))";
    private static final int SECONDS = 10;

    private final Connection session;

    private RelayPauseLock(Connection session) {
        this.session = session;
    }

    /**
     * There may be several at a time.
     *
     * @param session to the database {@code postgres}; closed when this is
     */
    public static RelayPauseLock take(Connection session) throws SQLException {
        try (var statement = session.createStatement()) {
            statement.execute("SELECT pg_advisory_lock_shared" + LOCK);
            return new RelayPauseLock(session);
        } catch (SQLException e) {
            session.close();
            throw e;
        }
    }

    /** Whether anybody has one; asked with a session that is closed after it. */
    static boolean isTaken(Connection session) throws SQLException {
        try (var statement = session.createStatement();
                var row = statement.executeQuery("SELECT pg_try_advisory_lock" + LOCK)) {
            row.next();
            return !row.getBoolean(1);
        }
    }

    /** Not if PostgreSQL or the connection to it was lost meanwhile. */
    public boolean stands() throws SQLException {
        return session.isValid(SECONDS);
    }

    @Override
    public void close() throws SQLException {
        session.close();
    }
}
