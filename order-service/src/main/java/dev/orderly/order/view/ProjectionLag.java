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
 * The read model's lag behind the topic, in time, as the metric {@code orderly.projection.lag}: 0 when every
 * event on the topic is applied, otherwise the age of the oldest event that is being applied, or of the last
 * that was. Events that have not reached the topic do not count; that is the relay's time
 * ({@code orderly.relay.time}).
 */
@ApplicationScoped
class ProjectionLag {

    private final KafkaClientService clients;
    private final Clock clock;

    /** Epoch milliseconds; 0 while no batch is being applied. */
    private volatile long oldestInFlight;

    /** Epoch milliseconds of the last event that was applied; 0 before the first. */
    private volatile long appliedUntil;

    private volatile boolean behind;

    ProjectionLag(KafkaClientService clients, Clock clock, MeterRegistry metrics) {
        this.clients = clients;
        this.clock = clock;
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
        var since = oldestInFlight != 0 ? oldestInFlight : behind ? appliedUntil : 0;
        return since == 0 ? Duration.ZERO : Duration.ofMillis(Math.max(0, clock.millis() - since));
    }

    @Scheduled(every = "1s")
    void sample() {
        var consumer = clients.getConsumer("order-view");
        if (consumer != null) {
            consumer.runOnPollingThread((Consumer<Object, Object> polling) -> {
                        behind = polling.assignment().stream()
                                .anyMatch(partition ->
                                        polling.currentLag(partition).orElse(0) > 0);
                    })
                    .subscribe()
                    .with(_ -> {}, _ -> {}); // the next sample follows
        }
    }
}
