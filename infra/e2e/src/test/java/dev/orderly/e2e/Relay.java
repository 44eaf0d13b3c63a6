package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.connect.RelayPauseLock;
import java.sql.SQLException;
import java.time.Duration;

/** The relay of a database's outbox, as an operator may stop it, and as none should break it. */
record Relay(String database) {

    private static final Duration MAX_WAIT = Duration.ofSeconds(40);

    /** What a service publishes stays in its outbox until the lock that this returns is closed. */
    RelayPauseLock pause() throws SQLException, InterruptedException {
        var lock = lock();
        assertThat(RunningSystem.platform().connector("PUT", path("/pause"))).isPresent();
        await().atMost(MAX_WAIT)
                .until(() -> RunningSystem.platform()
                        .connector("GET", path("/tasks/0/status"))
                        .filter(status -> status.contains("PAUSED"))
                        .isPresent());
        return lock;
    }

    /** While this lock is held, a relay that is stopped or paused stays so. */
    static RelayPauseLock lock() throws SQLException {
        return RelayPauseLock.take(RunningSystem.platform().connect("postgres"));
    }

    /** Unlike a paused one, a stopped relay releases its replication slot. */
    void stop() throws InterruptedException {
        assertThat(RunningSystem.platform().connector("PUT", path("/stop"))).isPresent();
    }

    private String path(String action) {
        return "/" + database + "-outbox" + action;
    }

    /** What the relay has not published yet is gone from the log. */
    void dropSlot() {
        await().atMost(MAX_WAIT).ignoreExceptions().until(() -> {
            try (var connection = RunningSystem.platform().connect(database, database + "_relay");
                    var drop = connection.createStatement()) {
                return drop.execute("SELECT pg_drop_replication_slot('outbox_" + database + "')");
            }
        });
    }

    /** As if the relays had been stopped for longer than the server keeps its log for them. */
    void invalidateSlot() throws SQLException {
        try (var session = RunningSystem.platform().connect("postgres");
                var statement = session.createStatement()) {
            statement.execute("ALTER SYSTEM SET max_slot_wal_keep_size = 0");
            try {
                statement.execute("SELECT pg_reload_conf()");
                await().atMost(MAX_WAIT).until(() -> {
                    statement.execute("SELECT pg_logical_emit_message(false, 'test', '')");
                    statement.execute("SELECT pg_switch_wal()");
                    statement.execute("CHECKPOINT");
                    try (var valid =
                            statement.executeQuery("SELECT FROM pg_replication_slots WHERE slot_name = 'outbox_"
                                    + database + "' AND wal_status <> 'lost'")) {
                        return !valid.next();
                    }
                });
            } finally {
                statement.execute("ALTER SYSTEM RESET max_slot_wal_keep_size");
                statement.execute("SELECT pg_reload_conf()");
            }
        }
    }
}
