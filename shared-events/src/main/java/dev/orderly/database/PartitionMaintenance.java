package dev.orderly.database;

import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Creates the partitions of the coming days for outbox, inbox and all other tables in {@code retention}, and
 * drops those past their retention. A drop costs next to nothing, where deletes would cost as much as the
 * inserts did. The first run is that of {@code afterMigrate.sql}, at every start.
 */
@ApplicationScoped
class PartitionMaintenance {

    private final DataSource database;

    PartitionMaintenance(DataSource database) {
        this.database = database;
    }

    @Scheduled(every = "1h", delayed = "1h", skipExecutionIf = DatabaseMigration.class)
    void maintain() throws SQLException {
        try (var connection = database.getConnection();
                var call = connection.prepareStatement("SELECT maintain_partitions()")) {
            call.execute();
        }
    }
}
