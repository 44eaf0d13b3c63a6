package dev.orderly.messaging;

import io.quarkus.scheduler.Scheduled;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Has a group assign its partitions again when a static member came back to an assignment that is out of
 * date. It comes back to the former one without a rebalance, and that may be from a time when a topic did not
 * exist, or had fewer partitions: no member then reads what is new. The leader would notice a later change,
 * but takes what it finds when it comes back for what the assignment was made from (KIP-814).
 */
@ApplicationScoped
class StaticMembership {

    private static final Logger LOG = Logger.getLogger(StaticMembership.class);
    private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(5);

    private final KafkaClientService clients;
    private final boolean isStatic;
    private final Set<String> checked = ConcurrentHashMap.newKeySet();

    StaticMembership(
            KafkaClientService clients,
            @ConfigProperty(name = "mp.messaging.connector.smallrye-kafka.group.instance.id")
                    Optional<String> instanceId) {
        this.clients = clients;
        this.isStatic = instanceId.isPresent();
    }

    /** Each channel once, after it has joined its group. */
    @Scheduled(every = "2s")
    void check() {
        if (!isStatic) {
            return;
        }
        for (String channel : clients.getConsumerChannels()) {
            if (!checked.contains(channel)) {
                Function<Consumer<Object, Object>, Boolean> task = StaticMembership::hasChecked;
                clients.getConsumer(channel)
                        .runOnPollingThread(task)
                        .subscribe()
                        .with(
                                done -> {
                                    if (done) {
                                        checked.add(channel);
                                    }
                                },
                                failure -> LOG.debugf("%s: checking again: %s", channel, failure));
            }
        }
    }

    /**
     * With several instances a member lacks partitions as a rule: one rebalance more after a restart, and
     * only of the leader, whose request alone the coordinator grants.
     */
    static boolean hasChecked(Consumer<?, ?> polling) {
        if (polling.groupMetadata().generationId() < 0) {
            return false; // has not joined yet
        }
        var lacking = Offsets.partitions(polling, BROKER_TIMEOUT).stream()
                .filter(partition -> !polling.assignment().contains(partition))
                .toList();
        if (!lacking.isEmpty()) {
            LOG.infof(
                    "rejoining %s, not knowing who has %s",
                    polling.groupMetadata().groupId(), lacking);
            polling.enforceRebalance("a static member has returned to an assignment that may be out of date");
        }
        return true;
    }
}
