package dev.orderly.lab.chaos.fault;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.platform.connect.RelayPauseLock;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Relays that restart, pause, or lose their replication slot. */
final class RelayFaults {
    private static final Duration MAX_STOP_TIME = Duration.ofSeconds(60);

    private final RunningPlatform system;
    private final Disturbances disturbances;

    RelayFaults(RunningPlatform system, Disturbances disturbances) {
        this.disturbances = disturbances;
        this.system = system;
    }

    void restart(Fault fault) throws InterruptedException, FaultNotInjected {
        connector("POST", fault.target(), "/restart?includeTasks=true");
    }

    void pause(Fault fault) throws InterruptedException, SQLException, FaultNotInjected {
        try (var _ = RelayPauseLock.take(system.connect("postgres"))) {
            connector("PUT", fault.target(), "/pause");
            TimeUnit.MILLISECONDS.sleep(fault.duration().toMillis());
        }
    }

    /** As by an outage that is longer than the write-ahead log is kept, or by an operator's mistake. */
    void loseSlot(Fault fault) throws InterruptedException, SQLException, FaultNotInjected {
        var database = fault.target();
        var slot = "outbox_" + database;
        disturbances.lostSlots().add(database);
        try (var _ = RelayPauseLock.take(system.connect("postgres"))) {
            connector("PUT", database, "/stop");
            Await.until(MAX_STOP_TIME, "the end of the relay", () -> isInactive(slot));
            system.execute(database, "SELECT pg_drop_replication_slot('" + slot + "')");
            TimeUnit.MILLISECONDS.sleep(fault.duration().toMillis());
            // A service that started in the meantime has created it, too.
            system.execute(
                    database,
                    "SELECT pg_create_logical_replication_slot('" + slot + "', 'pgoutput')"
                            + " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '" + slot + "')");
            connector("DELETE", database, "/offsets");
        }
    }

    private boolean isInactive(String slot) {
        try {
            var query = "SELECT slot_name FROM pg_replication_slots WHERE slot_name = '" + slot + "' AND NOT active";
            return !Sql.column(system, "postgres", query).isEmpty();
        } catch (SQLException _) {
            return false;
        }
    }

    private void connector(String method, String database, String path) throws InterruptedException, FaultNotInjected {
        if (system.connector(method, "/" + database + "-outbox" + path).isEmpty()) {
            throw new FaultNotInjected("Connect did not accept it");
        }
    }
}
