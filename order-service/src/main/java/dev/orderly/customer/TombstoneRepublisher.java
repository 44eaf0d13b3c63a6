package dev.orderly.customer;

import dev.orderly.database.DatabaseMigration;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;

/**
 * Makes Kafka's compaction erase personal data in time. Kafka does not compact the active segment, and rolls
 * it only when a record arrives: in a quiet partition the data of an erased customer would stay (<a
 * href="https://github.com/apache/kafka/pull/22489">KAFKA-20664</a>). So every tombstone is published a
 * second time, when the segment of the first is old enough to be rolled by it. Readers recognize the
 * duplicate by its version.
 */
@ApplicationScoped
class TombstoneRepublisher {

    /** Longer than the topic's {@code max.compaction.lag.ms}: then the next record rolls the segment. */
    private static final Duration DELAY = Duration.ofHours(13);

    /** Customers of one transaction. */
    private static final int MAX_BATCH = 500;

    private final CustomerCommands commands;
    private final Clock clock;

    TombstoneRepublisher(CustomerCommands commands, Clock clock) {
        this.commands = commands;
        this.clock = clock;
    }

    @Scheduled(every = "10m", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void republish() throws SQLException {
        int republished;
        do {
            republished = commands.republishTombstones(clock.instant().minus(DELAY), MAX_BATCH);
        } while (republished == MAX_BATCH);
    }
}
