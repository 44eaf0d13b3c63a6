package dev.orderly.database;

import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Makes the coming days' partitions of outbox, inbox and whatever else the table {@code retention} names, and drops those
 * that are past it: dropping costs nothing, where deleting would cost as much as the inserts did. The first run is that of
 * {@code afterMigrate.sql}, at every start.
 */
@ApplicationScoped
class PartitionMaintenance {

    private final DataSource database;

    PartitionMaintenance(DataSource database) {
        this.database = database;
    }

    @Scheduled(every = "1h", delayed = "1h", skipExecutionIf = DatabaseMigration.class)
    void keep() throws SQLException {
        try (var connection = database.getConnection();
                var call = connection.prepareStatement("SELECT keep_partitions()")) {
            call.execute();
        }
    }
}
