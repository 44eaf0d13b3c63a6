package dev.orderly.order;

import static java.util.stream.Collectors.toSet;

import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;

/** How far the saga has read its topic: by the offsets of its group, so that of all instances together. */
@ApplicationScoped
class SagaProgress {

    private static final Logger LOG = Logger.getLogger(SagaProgress.class);

    private static final String CHANNEL = "orders";

    /** Of each question to the brokers. Short, since it blocks the thread that polls. */
    private static final Duration BROKER_TIMEOUT = Duration.ofSeconds(2);

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
        return ask(Ends.UNKNOWN, polling -> {
            var partitions = polling.subscription().stream()
                    .flatMap(topic -> polling.partitionsFor(topic, BROKER_TIMEOUT).stream())
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .collect(toSet());
            return new Ends(polling.endOffsets(partitions, BROKER_TIMEOUT));
        });
    }

    /** Whether all before these ends has taken effect; false when that is unknown. */
    boolean hasPassed(Ends ends) {
        return !ends.equals(Ends.UNKNOWN) && ask(false, polling -> hasPassed(ends.offsets, polling));
    }

    private static boolean hasPassed(Map<TopicPartition, Long> ends, Consumer<?, ?> polling) {
        var committed = polling.committed(ends.keySet(), BROKER_TIMEOUT);
        var beginnings = polling.beginningOffsets(ends.keySet(), BROKER_TIMEOUT);
        return ends.entrySet().stream().allMatch(end -> {
            // A group that has committed nothing there has passed what the topic has deleted.
            var position = committed.get(end.getKey());
            return end.getValue() <= (position == null ? beginnings.get(end.getKey()) : position.offset());
        });
    }

    private <T> T ask(T withoutAnswer, Function<Consumer<Object, Object>, T> question) {
        var consumer = clients.getConsumer(CHANNEL);
        if (consumer == null) {
            return withoutAnswer;
        }
        return consumer.runOnPollingThread(question)
                .onFailure()
                .invoke(failure -> LOG.debugf("the saga's progress is not known: %s", failure))
                .onFailure()
                .recoverWithItem(withoutAnswer)
                .await()
                .indefinitely();
    }
}
