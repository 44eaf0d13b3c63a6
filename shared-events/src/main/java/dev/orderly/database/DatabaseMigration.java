package dev.orderly.database;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.ScheduledExecution;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Default;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;

/**
 * Migrates the database to the version of this service: before the service starts if the database is
 * available, else as soon as it is. Until then the service is alive but not ready, answers 503 and consumes
 * no event: what it wrote now could precede the replication slot, and never be published.
 */
@Readiness
@Default // @Readiness is a qualifier, which would replace it
@ApplicationScoped
public class DatabaseMigration implements HealthCheck, Scheduled.SkipPredicate {

    private static final Logger LOG = Logger.getLogger(DatabaseMigration.class);
    private static final int PAUSE_SECONDS = 1;

    private final Flyway flyway;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile boolean done;
    private volatile String obstacle = "not tried yet";

    DatabaseMigration(Flyway flyway) {
        this.flyway = flyway;
    }

    // First, since consumers and the scheduler start on this event as well.
    void start(@Observes @Priority(1) StartupEvent event) {
        if (!migrate()) {
            Thread.ofVirtual().name("migration").start(this::migrateUntilDone);
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

    private void migrateUntilDone() {
        try {
            while (!stopping.await(PAUSE_SECONDS, TimeUnit.SECONDS) && !migrate()) {
                // until it succeeds
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean migrate() {
        try {
            SchemaMigrations.apply(flyway.getConfiguration());
            done = true;
            LOG.info("the database is migrated");
        } catch (FlywayException e) {
            var reason = e.getMessage()
                    .lines()
                    .filter(line -> !line.isBlank())
                    .findFirst()
                    .orElse("no reason given");
            if (!reason.equals(obstacle)) {
                LOG.warnf("not ready: the database cannot be migrated yet: %s", reason);
            }
            obstacle = reason;
        }
        return done;
    }
}
