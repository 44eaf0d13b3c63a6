package dev.orderly.messaging;

import static java.util.stream.Collectors.joining;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.reactive.messaging.health.HealthReport.ChannelInfo;
import io.smallrye.reactive.messaging.providers.extension.HealthCenter;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.concurrent.atomic.AtomicInteger;
import org.jboss.logging.Logger;

/**
 * Ends the process when a channel has ended by a failure, for example by an {@code Error}. SmallRye closes
 * its consumer then, and opens it again only at a start: a service that went on without it would accept work
 * that it never does. The liveness check says so as well, but not every supervisor polls it.
 */
@ApplicationScoped
class ChannelWatchdog {

    private static final Logger LOG = Logger.getLogger(ChannelWatchdog.class);

    private final HealthCenter health;
    private final AtomicInteger failed;
    private volatile boolean stopping;

    ChannelWatchdog(HealthCenter health, MeterRegistry metrics) {
        this.health = health;
        this.failed = metrics.gauge("orderly.channels.failed", new AtomicInteger());
    }

    // First, since what the others stop may make a channel fail.
    void stop(@Observes @Priority(1) ShutdownEvent event) {
        stopping = true;
    }

    @Scheduled(every = "5s")
    void check() {
        var dead = health.getLiveness().getChannels().stream()
                .filter(channel -> !channel.isOk())
                .toList();
        failed.set(dead.size());
        if (!dead.isEmpty() && !stopping) {
            LOG.fatalf(
                    "stopping, since these channels have failed: %s",
                    dead.stream().map(ChannelWatchdog::describe).collect(joining(", ")));
            exit();
        }
    }

    private static String describe(ChannelInfo channel) {
        return channel.getChannel() + " (" + channel.getMessage() + ")";
    }

    /** In an orderly way: a transaction in progress gets its time. */
    void exit() {
        Quarkus.asyncExit(1);
    }
}
