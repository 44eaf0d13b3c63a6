package dev.orderly.database;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.ScheduledExecution;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Default;
import java.sql.SQLException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;

/**
 * Waits until the database has the version of this service, before the service starts if the database is
 * available. Until then the service is alive but not ready, answers 503 and consumes no event: what it wrote
 * now could precede the replication slot, and never be published.
 *
 * <p>To migrate takes the owner's password, which a service can do without: then the launcher or the
 * bootstrap container migrates. A service that was given it migrates by itself.
 */
@Readiness
@Default // @Readiness is a qualifier, which would replace it
@ApplicationScoped
public class DatabaseMigration implements HealthCheck, Scheduled.SkipPredicate {

    private static final Logger LOG = Logger.getLogger(DatabaseMigration.class);
    private static final int PAUSE_SECONDS = 1;

    /** A slot is created when the transactions that run in any database have ended, after up to 20 s. */
    private static final String SLOT = "SET LOCAL statement_timeout = '20s'; SELECT create_outbox_slot()";

    private static final String PARTITIONS = "SELECT create_partitions(parent) FROM retention ORDER BY parent";

    private final Flyway flyway;
    private final DataSource database;
    private final boolean isOwner;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile boolean done;
    private volatile String obstacle = "not tried yet";

    DatabaseMigration(
            Flyway flyway,
            DataSource database,
            @ConfigProperty(name = "quarkus.flyway.password") Optional<String> ownerPassword) {
        this.flyway = flyway;
        this.database = database;
        this.isOwner = ownerPassword.isPresent();
    }

    // First, since consumers and the scheduler start on this event as well.
    void start(@Observes @Priority(1) StartupEvent event) {
        if (!prepare()) {
            Thread.ofVirtual().name("migration").start(this::prepareUntilDone);
        }
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }

    public boolean isDone() {
        return done;
    }

    /** Whether the scheduler must skip an execution. */
    @Override
    public boolean test(ScheduledExecution execution) {
        return !done;
    }

    @Override
    public HealthCheckResponse call() {
        var response = HealthCheckResponse.named("Database migration").status(done);
        return done ? response.build() : response.withData("waiting", obstacle).build();
    }

    private void prepareUntilDone() {
        try {
            while (!stopping.await(PAUSE_SECONDS, TimeUnit.SECONDS) && !prepare()) {
                // until it succeeds
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean prepare() {
        try {
            if (isOwner) {
                SchemaMigrations.apply(flyway.getConfiguration());
                done = true;
            } else {
                done = isMigrated();
            }
            if (done) {
                LOG.info("the database is migrated");
            }
        } catch (FlywayException | SQLException e) {
            waitFor(String.valueOf(e.getMessage())
                    .lines()
                    .filter(line -> !line.isBlank())
                    .findFirst()
                    .orElse("no reason given"));
        }
        return done;
    }

    private void waitFor(String reason) {
        if (!reason.equals(obstacle)) {
            LOG.warnf("not ready: the database is not migrated yet: %s", reason);
        }
        obstacle = reason;
    }

    /** Also makes sure of what afterMigrate.sql does at each start: who migrates need not run again. */
    private boolean isMigrated() throws SQLException {
        var missing = SchemaMigrations.missing(flyway.getConfiguration());
        if (!missing.isEmpty()) {
            waitFor("it lacks " + String.join(", ", missing)
                    + ", and without DB_OWNER_PASSWORD this service does not migrate it");
            return false;
        }
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute(SLOT);
            connection.commit();
            statement.execute(PARTITIONS);
            connection.commit();
            return true;
        }
    }
}
