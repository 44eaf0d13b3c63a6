package dev.orderly.order.view.rebuild;

import dev.orderly.database.DatabaseMigration;
import dev.orderly.database.DeferredWrites;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.order.view.OrderViewUpdater;
import dev.orderly.order.view.OrderViewUpdater.Tables;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import javax.sql.DataSource;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/** Runs at most one {@link RebuildRun} at a time over all instances, in the background, and reports on it. */
@ApplicationScoped
class OrderViewRebuild {

    private static final Logger LOG = Logger.getLogger(OrderViewRebuild.class);

    /** One for all rebuilds, since it is the tag of a metric. What it recorded is deleted before the next. */
    private static final String GROUP = "order-view-rebuild";

    private final EventConsumer eventConsumer;
    private final DataSource database;
    private final DeferredWrites writes;
    private final Clock clock;
    private final Map<String, Object> kafka;
    private final String topic;
    private final String projectionGroup;

    private volatile RebuildStatus status = new RebuildStatus(RebuildState.NEVER, null, null, 0, 0, 0, null);
    private volatile Thread worker;

    OrderViewRebuild(
            EventConsumer eventConsumer,
            DataSource database,
            DeferredWrites writes,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.topic") String topic,
            @ConfigProperty(name = "mp.messaging.incoming.order-view.group.id") String projectionGroup) {
        this.eventConsumer = eventConsumer;
        this.database = database;
        this.writes = writes;
        this.clock = clock;
        this.kafka = kafka;
        this.topic = topic;
        this.projectionGroup = projectionGroup;
    }

    enum RebuildState {
        NEVER,
        RUNNING,
        DONE,
        FAILED
    }

    /**
     * How far this instance's last rebuild has come.
     *
     * @param events read, {@code of} so many in all
     * @param kept orders copied from the old view
     * @param problem why it failed
     */
    record RebuildStatus(
            RebuildState state, Instant startedAt, Instant endedAt, long events, long of, int kept, String problem) {

        private RebuildStatus read(long newEvents, long newOf) {
            return new RebuildStatus(state, startedAt, endedAt, newEvents, newOf, kept, problem);
        }

        private RebuildStatus done(Instant at, int orders) {
            return new RebuildStatus(RebuildState.DONE, startedAt, at, events, of, orders, null);
        }

        private RebuildStatus failed(Instant at, String why) {
            return new RebuildStatus(RebuildState.FAILED, startedAt, at, events, of, kept, why);
        }
    }

    RebuildStatus status() {
        return status;
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        var running = worker;
        if (running != null) {
            running.interrupt();
            running.join(Duration.ofSeconds(5));
        }
    }

    /** Starts a rebuild; false when this instance runs one already. */
    synchronized boolean start() {
        if (status.state == RebuildState.RUNNING) {
            return false;
        }
        status = new RebuildStatus(RebuildState.RUNNING, clock.instant(), null, 0, 0, 0, null);
        worker = Thread.ofPlatform().name("order-view-rebuild").start(this::run);
        return true;
    }

    private void run() {
        RebuildStatus done = null;
        try (var connection = database.getConnection()) {
            var tables = new ShadowTables(connection);
            if (!tables.tryLock()) {
                throw new IllegalStateException("another instance is at it");
            }
            try (var reader = new TopicReader(kafka, topic, projectionGroup)) {
                var shadow = new OrderViewUpdater(eventConsumer, GROUP, Tables.SHADOW, database, writes);
                var kept = new RebuildRun(
                                tables,
                                reader,
                                shadow,
                                projectionGroup,
                                (events, of) -> status = status.read(events, of))
                        .run();
                done = status.done(clock.instant(), kept);
            } finally {
                cleanUp(tables);
            }
        } catch (SQLException | RuntimeException | Error e) { // an error would leave it running for ever
            if (done == null) {
                LOG.error("could not rebuild the view of orders; the old one stays", e);
                status = status.failed(clock.instant(), e.getMessage());
                return;
            }
            LOG.warn("the connection of the rebuild failed after its end", e); // its lock ends with it
        }
        status = done; // not before the lock is free: a client that sees this may start the next
        LOG.infof("rebuilt the view of orders: %s", status);
    }

    /** Its failure says nothing about the view: the next rebuild cleans up before it begins. */
    private static void cleanUp(ShadowTables tables) throws SQLException {
        try {
            tables.deleteRebuildState();
        } catch (SQLException e) {
            LOG.warnf("what the rebuild recorded about events is left to the next one: %s", e.getMessage());
        } finally {
            tables.unlock();
        }
    }

    /** Empties the previous view. Not at the swap, so that the two can be compared. */
    @Scheduled(every = "1h", delayed = "1h", skipExecutionIf = DatabaseMigration.class)
    void discardPrevious() throws SQLException {
        try (var connection = database.getConnection()) {
            var tables = new ShadowTables(connection);
            if (tables.tryLock()) {
                try {
                    tables.truncate();
                } finally {
                    tables.unlock();
                }
            }
        }
    }
}
