package dev.orderly.order.view.rebuild;

import dev.orderly.database.DeferredWrites;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.order.view.OrderViewUpdater;
import dev.orderly.order.view.OrderViewUpdater.Tables;
import io.quarkus.runtime.ShutdownEvent;
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
        try (var connection = database.getConnection()) {
            var tables = new ShadowTables(connection);
            if (!tables.tryLock()) {
                throw new IllegalStateException("another instance is at it");
            }
            int kept;
            try (var reader = new TopicReader(kafka, topic, projectionGroup)) {
                var shadow = new OrderViewUpdater(
                        eventConsumer, "order-view-rebuild-" + status.startedAt, Tables.SHADOW, database, writes);
                kept = new RebuildRun(
                                tables,
                                reader,
                                shadow,
                                projectionGroup,
                                (events, of) -> status = status.read(events, of))
                        .run();
            } finally {
                tables.deleteRebuildState();
                tables.unlock();
            }
            status = status.done(clock.instant(), kept);
            LOG.infof("rebuilt the view of orders: %s", status);
        } catch (SQLException | RuntimeException e) {
            LOG.error("could not rebuild the view of orders; the old one stays", e);
            status = status.failed(clock.instant(), e.getMessage());
        }
    }
}
