package dev.orderly.console.demo;

import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** A relay that loses its replication slot. */
@ApplicationScoped
class RelayFaults {

    private static final Duration MAX_DROP_TIME = Duration.ofSeconds(10);
    private static final int END_MILLIS = 2_000;
    private static final String OBJECT_IN_USE = "55006";

    private final DemoPlatform platform;
    private final DemoDatabases databases;

    RelayFaults(DemoPlatform platform, DemoDatabases databases) {
        this.platform = platform;
        this.databases = databases;
    }

    /**
     * By the relay's own role, which may: ends the session that reads from the slot, and drops that before
     * the relay has opened the next.
     */
    void loseSlot(String database) throws IOException, SQLException {
        try (var connection = databases.open(database, database + "_relay", platform.relayPassword(database))) {
            long deadline = System.nanoTime() + MAX_DROP_TIME.toNanos();
            while (!drop(connection, "outbox_" + database)) {
                if (System.nanoTime() > deadline) {
                    throw new SQLException("the slot of " + database + " is in use, or there is none");
                }
            }
        }
    }

    private static boolean drop(Connection connection, String slot) throws SQLException {
        try (var end = connection.prepareStatement("""
                        SELECT pg_terminate_backend(active_pid, ?)
                        FROM pg_replication_slots WHERE slot_name = ? AND active
                        """);
                var drop = connection.prepareStatement("""
                        SELECT pg_drop_replication_slot(slot_name)
                        FROM pg_replication_slots WHERE slot_name = ? AND NOT active
                        """)) {
            end.setInt(1, END_MILLIS);
            end.setString(2, slot);
            end.execute();
            drop.setString(1, slot);
            try (var dropped = drop.executeQuery()) {
                return dropped.next();
            }
        } catch (SQLException e) {
            if (OBJECT_IN_USE.equals(e.getSQLState())) {
                return false; // the relay was faster
            }
            throw e;
        }
    }
}
