package dev.orderly.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.quarkus.runtime.BlockingOperationControl;
import io.smallrye.mutiny.Uni;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.container.ResourceInfo;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jboss.resteasy.reactive.server.core.CurrentRequestManager;

/**
 * Leaves connections to the database, and threads, to what a service consumes and does by schedule: requests
 * share a part of the pool, wait for it as they would for a connection, and are rejected when too many wait.
 * Slow queries would otherwise stop the saga. A request holds its permit from when it is matched to when it
 * has been dealt with, also when its client has hung up.
 *
 * <p>A resource that returns a {@link Uni} may wait long without a connection, so it has no permit by itself:
 * it takes one around its query by {@link #call}.
 */
@ApplicationScoped
public class DatabaseBulkhead {

    /** As long as for a connection ({@code quarkus.datasource.jdbc.acquisition-timeout}). */
    private static final Duration MAX_WAIT = Duration.ofSeconds(3);

    /** Each occupies a worker thread, of which there are 200. */
    private static final int MAX_WAITING = 150;

    private final Semaphore permits;

    DatabaseBulkhead(
            @ConfigProperty(name = "orderly.http.max-database-connections") int maxConnections, MeterRegistry metrics) {
        permits = new Semaphore(maxConnections, true);
        metrics.gauge("orderly.http.database.permits", permits, Semaphore::availablePermits);
        Capacity.register(metrics, "database", () -> 1 - (double) permits.availablePermits() / maxConnections);
        Capacity.register(metrics, "waiting-for-database", () -> (double) permits.getQueueLength() / MAX_WAITING);
    }

    /** A query of a request. */
    public interface Query<T> {
        T run() throws SQLException;
    }

    /**
     * Runs a query of a request that has no permit by itself.
     *
     * @throws HttpProblem 503, when too many others wait
     */
    public <T> T call(Query<T> query) throws SQLException {
        acquire();
        try {
            return query.run();
        } finally {
            permits.release();
        }
    }

    @ServerRequestFilter
    public void enter(ResourceInfo resource) {
        // What must not block has no thread to wait with, and makes no query here.
        if (BlockingOperationControl.isBlockingAllowed()
                && resource.getResourceMethod().getReturnType() != Uni.class) {
            acquire();
            // Not by a response filter: there is none when the client has hung up.
            CurrentRequestManager.get().registerCompletionCallback(_ -> permits.release());
        }
    }

    private void acquire() {
        try {
            if (permits.getQueueLength() < MAX_WAITING
                    && permits.tryAcquire(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        throw Problems.unavailable("The database is busy. Nothing was changed; try again.");
    }
}
