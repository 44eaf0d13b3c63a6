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
 * By how much the read model may be behind the topic, as the metric {@code orderly.view.staleness}: 0 when it shows all
 * that is there, otherwise the age of the oldest event that it does not show, or of the last that it does. What has not reached
 * the topic yet is not counted; that is the relay's time ({@code orderly.relay.time}).
 */
@ApplicationScoped
class ProjectionLag {

    private final KafkaClientService clients;
    private final Clock clock;

    /** Epoch milliseconds; 0 when no batch is under way. */
    private volatile long oldestUnderWay;

    /** Epoch milliseconds of the last event that is shown; 0 before the first. */
    private volatile long shownUntil;

    private volatile boolean more;

    ProjectionLag(KafkaClientService clients, Clock clock, MeterRegistry metrics) {
        this.clients = clients;
        this.clock = clock;
        TimeGauge.builder(
                        "orderly.view.staleness",
                        this,
                        TimeUnit.MILLISECONDS,
                        view -> view.now().toMillis())
                .description("By how much the read model is behind the topic")
                .register(metrics);
    }

    void received(ConsumerRecords<String, byte[]> records) {
        oldestUnderWay = StreamSupport.stream(records.spliterator(), false)
                .mapToLong(ConsumerRecord::timestamp)
                .min()
                .orElse(0);
    }

    void applied(ConsumerRecords<String, byte[]> records) {
        shownUntil = StreamSupport.stream(records.spliterator(), false)
                .mapToLong(ConsumerRecord::timestamp)
                .max()
                .orElse(shownUntil);
        oldestUnderWay = 0;
    }

    Duration now() {
        var since = oldestUnderWay != 0 ? oldestUnderWay : more ? shownUntil : 0;
        return since == 0 ? Duration.ZERO : Duration.ofMillis(Math.max(0, clock.millis() - since));
    }

    @Scheduled(every = "1s")
    void ask() {
        var consumer = clients.getConsumer("order-view");
        if (consumer != null) {
            consumer.runOnPollingThread((Consumer<Object, Object> polling) -> {
                        more = polling.assignment().stream()
                                .anyMatch(partition ->
                                        polling.currentLag(partition).orElse(0) > 0);
                    })
                    .subscribe()
                    .with(_ -> {}, _ -> {}); // it is asked again
        }
    }
}
