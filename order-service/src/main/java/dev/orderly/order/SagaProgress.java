package dev.orderly.order;

import dev.orderly.messaging.Offsets;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/** How far the saga has read its topic: by the offsets of its group, so that of all instances together. */
@ApplicationScoped
class SagaProgress {

    private static final Logger LOG = Logger.getLogger(SagaProgress.class);

    private static final String CHANNEL = "orders";

    private final KafkaClientService clients;

    SagaProgress(KafkaClientService clients) {
        this.clients = clients;
    }

    /** The ends of all partitions, behind all that was published by then. */
    record Ends(Map<TopicPartition, Long> offsets) {
        static final Ends UNKNOWN = new Ends(Map.of());
    }

    /** As of now; unknown when the brokers do not answer. */
    Ends ends() {
        return offsets().map(now -> new Ends(now.ends())).orElse(Ends.UNKNOWN);
    }

    /** Whether all before these ends has taken effect; false when that is unknown. */
    boolean hasPassed(Ends ends) {
        return !ends.equals(Ends.UNKNOWN)
                && offsets()
                        .filter(now -> ends.offsets.entrySet().stream()
                                .allMatch(end -> now.read().getOrDefault(end.getKey(), 0L) >= end.getValue()))
                        .isPresent();
    }

    private Optional<Offsets> offsets() {
        try {
            return Offsets.of(clients, CHANNEL);
        } catch (RuntimeException e) {
            LOG.warnf("how far the saga has read is not known: %s", e.getMessage());
            return Optional.empty();
        }
    }
}
