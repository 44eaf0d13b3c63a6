package dev.orderly.platform;

import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.kafka.ConsumerGroups;
import dev.orderly.platform.observe.AlertReceiver.Alert;
import dev.orderly.platform.operations.PartitionScaler;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds instances of a service while its backlog is too long, then partitions, and takes instances away when
 * there are more than are needed. When there is nothing left to add, order-service's load shedding is what
 * remains; it needs no order from here. Partitions stay: Kafka cannot take any away.
 *
 * <p>It keeps no state but when the last steps were. Alertmanager repeats an alert for as long as it fires,
 * and each repetition is one step more, if the last one has had time to show. So a repetition too many, or
 * one that is lost, does no harm. What keeps it from going up and down is in the rules: between the load at
 * which an instance is added and the one at which it is taken away is a distance.
 */
final class AutoScaler implements AutoCloseable {
    static final int MAX_INSTANCES = 4;
    /** Two, three and four instances each get the same number of them. */
    static final int MAX_PARTITIONS = 12;

    private static final Logger LOG = LoggerFactory.getLogger(AutoScaler.class);
    /** For an instance to take its share, and for metrics to show it: a rebalance, a scrape, a rule. */
    private static final Duration SETTLING = Duration.ofSeconds(30);

    /** For so long at most the relays stand still, which is a half of what an order has. */
    private static final Duration PARTITIONS_DEADLINE = Duration.ofSeconds(60);
    /** When a group does not come to its end, such as that of a sink whose database is away. */
    private static final Duration PARTITIONS_RETRY = Duration.ofMinutes(10);

    private static final String TOPIC = "order-service";

    private final PlatformSettings settings;
    private final ServiceInstances instances;
    private final ConsumerGroups groups;
    private final ExecutorService executor = Executors.newSingleThreadExecutor(
            Thread.ofVirtual().name("autoscaler").factory());
    private final Semaphore idle = new Semaphore(1);
    /** By service, when the last step was done. */
    private final Map<String, Instant> settled = new HashMap<>();

    private Instant partitionsNotBefore = Instant.MIN;

    enum Step {
        ADD_INSTANCE,
        ADD_PARTITIONS,
        REMOVE_INSTANCE,
        NONE
    }

    AutoScaler(PlatformSettings settings, ServiceInstances instances, ConsumerGroups groups) {
        this.settings = settings;
        this.instances = instances;
        this.groups = groups;
    }

    /** What to do about an alert about a service. */
    static Step next(String alert, int instances, int partitions, boolean partitionsMayGrow) {
        return switch (alert) {
            case "BacklogAbove80Percent" -> {
                if (instances < Math.min(MAX_INSTANCES, partitions)) {
                    yield Step.ADD_INSTANCE;
                }
                yield instances < MAX_INSTANCES && partitionsMayGrow ? Step.ADD_PARTITIONS : Step.NONE;
            }
            case "InstanceToSpare" -> instances > 1 ? Step.REMOVE_INSTANCE : Step.NONE;
            default -> Step.NONE;
        };
    }

    /** Returns at once. Does nothing during another step: what still holds after it is reported again. */
    void react(Alert alert) {
        if (idle.tryAcquire()) {
            executor.execute(() -> {
                try {
                    step(alert);
                } catch (IOException | ExecutionException | RuntimeException e) {
                    LOG.error("{} is not acted on: {}", alert, e.getMessage(), e);
                } catch (InterruptedException _) {
                    Thread.currentThread().interrupt();
                } finally {
                    idle.release();
                }
            });
        }
    }

    private void step(Alert alert) throws IOException, InterruptedException, ExecutionException {
        var service = alert.service();
        var last = settled.get(service);
        if (!instances.exist(service) || last != null && Instant.now().isBefore(last.plus(SETTLING))) {
            return;
        }
        try {
            step(alert, instances.count(service));
        } finally {
            settled.put(service, Instant.now()); // also one that has failed has cost what there is too little of
        }
    }

    private void step(Alert alert, int running) throws IOException, InterruptedException, ExecutionException {
        var service = alert.service();
        boolean partitionsMayGrow = Instant.now().isAfter(partitionsNotBefore);
        switch (next(alert.name(), running, groups.partitionsOf(TOPIC), partitionsMayGrow)) {
            case ADD_INSTANCE -> {
                LOG.warn("{}: adding instance {} of {}", alert.name(), running + 1, service);
                instances.add(service);
            }
            case ADD_PARTITIONS -> {
                LOG.warn("{}: adding partitions to {}, up to {}", alert.name(), TOPIC, MAX_PARTITIONS);
                partitionsNotBefore = Instant.now().plus(PARTITIONS_RETRY);
                PartitionScaler.grow(settings.data(), MAX_PARTITIONS, PARTITIONS_DEADLINE);
            }
            case REMOVE_INSTANCE -> {
                LOG.warn("{}: removing instance {} of {}", alert.name(), running, service);
                instances.remove(service);
            }
            case NONE -> LOG.info("{}: {} stays at {} instances", alert.name(), service, running);
        }
    }

    /** What it has added stays. */
    @Override
    public void close() {
        executor.shutdownNow();
    }
}
