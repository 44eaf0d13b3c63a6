package dev.orderly.lab.chaos.fault;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Connections that break or hang, and tables that are locked or changed. */
final class PostgresFaults {
    private static final String RELOAD = "SELECT pg_reload_conf()";
    private static final Duration MAX_RESET_TIME = Duration.ofSeconds(120);

    private final RunningPlatform system;

    PostgresFaults(RunningPlatform system) {
        this.system = system;
    }

    void killBackends(Fault fault) throws SQLException, FaultNotInjected {
        terminate(backends(fault.target()));
    }

    void killWalsender(Fault fault) throws SQLException, FaultNotInjected {
        terminate(walsender(fault.target()));
    }

    void freezeBackends(Fault fault) throws SQLException, InterruptedException, IOException, FaultNotInjected {
        ProcessFaults.freeze(backends(fault.target()), fault.duration());
    }

    void freezeWalsender(Fault fault) throws SQLException, InterruptedException, IOException, FaultNotInjected {
        ProcessFaults.freeze(walsender(fault.target()), fault.duration());
    }

    void lockTable(Fault fault) throws SQLException, InterruptedException {
        var databaseAndTable = fault.target().split(":");
        try (var connection = system.connect(databaseAndTable[0])) {
            connection.setAutoCommit(false);
            try (var lock = connection.createStatement()) {
                lock.execute("SET LOCAL lock_timeout = '5s'");
                lock.execute("LOCK TABLE " + databaseAndTable[1] + " IN ACCESS EXCLUSIVE MODE");
                TimeUnit.MILLISECONDS.sleep(fault.duration().toMillis());
            } finally {
                connection.rollback();
            }
        }
    }

    void changeTable(Fault fault) throws SQLException {
        system.execute(
                fault.target(),
                "SET lock_timeout = '5s'; ALTER TABLE outbox ADD COLUMN chaos_" + fault.number() + " int");
    }

    /** As on a server that was made a standby: it answers, and refuses to write. */
    void readOnly(Fault fault) throws InterruptedException {
        try {
            system.execute("postgres", "ALTER SYSTEM SET default_transaction_read_only = on");
            system.execute("postgres", RELOAD);
            TimeUnit.MILLISECONDS.sleep(fault.duration().toMillis());
        } finally {
            // The setting is in a file, and survives what another fault does to the server.
            Await.until(MAX_RESET_TIME, "PostgreSQL to take writes again", this::isWritableAgain);
        }
    }

    private boolean isWritableAgain() {
        try {
            system.execute("postgres", "ALTER SYSTEM RESET default_transaction_read_only");
            system.execute("postgres", RELOAD);
            return true;
        } catch (CommandFailedException _) {
            return false; // another fault has stopped it
        }
    }

    private void terminate(List<Long> backends) throws SQLException {
        for (long pid : backends) {
            system.execute("postgres", "SELECT pg_terminate_backend(" + pid + ")");
        }
    }

    private List<Long> backends(String database) throws SQLException, FaultNotInjected {
        return pids("SELECT pid FROM pg_stat_activity WHERE usename = '" + database + "_app'");
    }

    private List<Long> walsender(String database) throws SQLException, FaultNotInjected {
        return pids(
                "SELECT active_pid FROM pg_replication_slots WHERE slot_name = 'outbox_" + database + "' AND active");
    }

    private List<Long> pids(String query) throws SQLException, FaultNotInjected {
        var pids = Sql.column(system, "postgres", query).stream()
                .map(Long::valueOf)
                .toList();
        if (pids.isEmpty()) {
            throw new FaultNotInjected("there was no such connection");
        }
        return pids;
    }
}
