package dev.orderly.order.view;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.reactive.messaging.kafka.KafkaClientService;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/**
 * The read model's lag behind the topic, in time, as the metric {@code orderly.projection.lag}: 0 when
 * every event on the topic is applied, otherwise the age of the oldest event that is being applied, or of
 * the last that was. Events that have not reached the topic do not count; that is the relay's time ({@code
 * orderly.relay.time}). While the consumer does not answer, as when its thread hangs or has ended, the lag
 * is at least the time since it last did: a dead consumer must not look like one that has caught up.
 */
@ApplicationScoped
class ProjectionLag {

    /** A sample waits for the end of a poll or of a batch; one that takes longer than this is no moment. */
    private static final Duration MAX_SILENCE = Duration.ofSeconds(10);

    private final KafkaClientService clients;
    private final Clock clock;

    /** Epoch milliseconds; 0 while no batch is being applied. */
    private volatile long oldestInFlight;

    /** Epoch milliseconds of the last event that was applied; 0 before the first. */
    private volatile long appliedUntil;

    private volatile boolean behind;

    /** Epoch milliseconds when the consumer last said whether it is behind. */
    private volatile long sampledAt;

    ProjectionLag(KafkaClientService clients, Clock clock, MeterRegistry metrics) {
        this.clients = clients;
        this.clock = clock;
        this.sampledAt = clock.millis();
        TimeGauge.builder(
                        "orderly.projection.lag",
                        this,
                        TimeUnit.MILLISECONDS,
                        lag -> lag.current().toMillis())
                .description("By how much the read model is behind the topic")
                .register(metrics);
    }

    void received(ConsumerRecords<String, byte[]> records) {
        oldestInFlight = StreamSupport.stream(records.spliterator(), false)
                .mapToLong(ConsumerRecord::timestamp)
                .min()
                .orElse(0);
    }

    void applied(ConsumerRecords<String, byte[]> records) {
        appliedUntil = StreamSupport.stream(records.spliterator(), false)
                .mapToLong(ConsumerRecord::timestamp)
                .max()
                .orElse(appliedUntil);
        oldestInFlight = 0;
    }

    Duration current() {
        var now = clock.millis();
        var since = oldestInFlight != 0 ? oldestInFlight : behind ? appliedUntil : 0;
        var silent = now - sampledAt > MAX_SILENCE.toMillis() ? now - sampledAt : 0;
        return Duration.ofMillis(Math.max(silent, since == 0 ? 0 : now - since));
    }

    @Scheduled(every = "1s")
    void sample() {
        var consumer = clients.getConsumer("order-view");
        if (consumer != null) {
            consumer.runOnPollingThread((Consumer<Object, Object> polling) -> {
                        behind = polling.assignment().stream()
                                .anyMatch(partition ->
                                        polling.currentLag(partition).orElse(0) > 0);
                        sampledAt = clock.millis();
                    })
                    .subscribe()
                    .with(_ -> {}, _ -> {}); // the next sample follows
        }
    }
}
