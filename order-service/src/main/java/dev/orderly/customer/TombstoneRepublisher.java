package dev.orderly.customer;

import dev.orderly.database.DatabaseMigration;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;

/**
 * Sees to it that Kafka forgets who was erased. It compacts no segment that it still writes to, and goes on to the next one
 * only when a record comes: in a quiet partition an erased person would stay for as long as nothing happens there (<a
 * href="https://github.com/apache/kafka/pull/22489">KAFKA-20664</a>). So every tombstone is published a second time, when
 * the segment of the first is old enough to be closed by it. Readers know it by its version.
 */
@ApplicationScoped
class TombstoneRepublisher {

    /** Longer than the topic's {@code max.compaction.lag.ms}, after which the next record closes a segment. */
    private static final Duration SECOND_TOMBSTONE = Duration.ofHours(13);

    /** Customers of one transaction. */
    private static final int BATCH = 500;

    private final CustomerCommands commands;
    private final Clock clock;

    TombstoneRepublisher(CustomerCommands commands, Clock clock) {
        this.commands = commands;
        this.clock = clock;
    }

    @Scheduled(every = "10m", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void repeatTombstones() throws SQLException {
        int repeated;
        do {
            repeated = commands.repeatTombstones(clock.instant().minus(SECOND_TOMBSTONE), BATCH);
        } while (repeated == BATCH);
    }
}
