package dev.orderly.database;

import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * A database that answers but takes no changes, as a standby or by its administrator's will: commands would
 * fail, so they should go to another instance, or be repeated later.
 */
@Readiness
@ApplicationScoped
class WritableDatabase implements HealthCheck {

    private final DataSource database;

    WritableDatabase(DataSource database) {
        this.database = database;
    }

    @Override
    public HealthCheckResponse call() {
        var response = HealthCheckResponse.named("Database takes changes");
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT current_setting('transaction_read_only')");
                var row = select.executeQuery()) {
            row.next();
            return row.getString(1).equals("off")
                    ? response.up().build()
                    : response.down().withData("reason", "it is read-only").build();
        } catch (SQLException e) {
            return response.down().withData("reason", e.getMessage()).build();
        }
    }
}
