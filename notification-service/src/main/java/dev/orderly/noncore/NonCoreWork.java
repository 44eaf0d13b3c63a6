package dev.orderly.noncore;

import com.fasterxml.uuid.impl.UUIDUtil;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Whether work that no customer waits for, client logs and welcome mails, is paused so that orders have the
 * database and the brokers for themselves. Nothing of it is dropped: it stays where it waits, on its topic or
 * in its table.
 *
 * <p>This service learns how late orders are from what it reads anyway: an order's id says when it was placed
 * ({@link dev.orderly.database.UuidV7}), the event of its end when it was decided. To ask order-service would
 * be a call that it depends on, when there is least of everything. The price: while not one order is decided,
 * it does not know, and goes on.
 */
@ApplicationScoped
public class NonCoreWork {

    private static final Logger LOG = Logger.getLogger(NonCoreWork.class);

    /** What was decided before says nothing about now: a group that catches up reads of old delays. */
    private static final Duration MAX_EVENT_AGE = Duration.ofMinutes(1);

    private static final int TIME_BASED = 7;
    private static final long POLL_MILLIS = 200;

    private final Mode mode;
    private final Duration maxOrderAge;
    private final Clock clock;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile Instant resumeAt = Instant.MIN;
    private boolean wasPaused;

    /** By the age of orders, or whatever an operator has decided. */
    enum Mode {
        AUTO,
        RUN,
        PAUSE
    }

    NonCoreWork(
            @ConfigProperty(name = "orderly.non-core.work") Mode mode,
            @ConfigProperty(name = "orderly.non-core.max-order-age") Duration maxOrderAge,
            Clock clock,
            MeterRegistry metrics) {
        this.mode = mode;
        this.maxOrderAge = maxOrderAge;
        this.clock = clock;
        metrics.gauge("orderly.non.core.paused", this, work -> work.isPaused() ? 1 : 0);
    }

    /** An order has ended. May be called again for the same. */
    public void decided(UUID order, Instant at) {
        var now = clock.instant();
        if (order.version() != TIME_BASED || at.isBefore(now.minus(MAX_EVENT_AGE))) {
            return;
        }
        var placed = Instant.ofEpochMilli(UUIDUtil.extractTimestamp(order));
        if (Duration.between(placed, at).compareTo(maxOrderAge) > 0) {
            resumeAt = now.plus(maxOrderAge); // at once would be to begin again between two late ones
        }
    }

    public boolean isPaused() {
        return switch (mode) {
            case AUTO -> clock.instant().isBefore(resumeAt);
            case RUN -> false;
            case PAUSE -> true;
        };
    }

    /**
     * Returns when the work may go on. A consumer that waits here asks for no further batch, so its
     * partitions are paused while it stays in its group.
     *
     * @throws IllegalStateException when the application stops first
     */
    public void awaitPermission() {
        try {
            while (isPaused()) {
                if (stopping.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new IllegalStateException("the application stops while this work is paused");
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while this work is paused", e);
        }
    }

    @Scheduled(every = "1s")
    void log() {
        if (isPaused() != wasPaused) {
            wasPaused = !wasPaused;
            if (mode == Mode.PAUSE) {
                LOG.warn("client logs and welcome mails are paused, as configured");
                return;
            }
            LOG.warnf(
                    wasPaused
                            ? "client logs and welcome mails are paused: orders take longer than %s to be decided"
                            : "client logs and welcome mails go on: orders are decided within %s again",
                    maxOrderAge);
        }
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }
}
