package dev.orderly.customer;

import dev.orderly.database.DatabaseMigration;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import javax.sql.DataSource;

/**
 * Erases who has registered and never been verified: anybody can register an address that is not theirs, and
 * there is no reason to keep it.
 */
@ApplicationScoped
class UnverifiedCustomers {

    /** From the last code that was sent. */
    private static final Duration LIFETIME = Duration.ofDays(30);

    /** Customers of one transaction. */
    private static final int MAX_BATCH = 100;

    private final CustomerCommands commands;
    private final DataSource database;

    UnverifiedCustomers(CustomerCommands commands, DataSource database) {
        this.commands = commands;
        this.database = database;
    }

    @Scheduled(
            every = "1h",
            delayed = "10m",
            concurrentExecution = ConcurrentExecution.SKIP,
            skipExecutionIf = DatabaseMigration.class)
    void erase() throws SQLException {
        var before = today().minus(LIFETIME);
        int erased;
        do {
            erased = commands.eraseUnverified(before, MAX_BATCH);
        } while (erased == MAX_BATCH);
    }

    /** As retention counts it: a clock that jumps ahead for some hours must not erase anybody. */
    private Instant today() throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT least(day::timestamptz, now()) FROM retention_day");
                var row = select.executeQuery()) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }
}
