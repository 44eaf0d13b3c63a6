package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;

/**
 * What others rely on: a consumer without any code of this repository understands the topic. It does not even
 * log in, on a platform that was started for such consumers.
 */
@EndToEnd
class PlainConsumerTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(20);
    /** So many that no partition is empty. */
    private static final int ORDERS = 20;

    @Test
    void a_consumer_in_the_payment_services_place_finds_every_orders_id_and_status() throws Exception {
        var shop = RunningSystem.shop(ORDERS + 1, 50_000);
        for (int i = 0; i < ORDERS; i++) {
            shop.awaitEnd(shop.order(1));
        }
        var mine = new ArrayList<ConsumerRecord<String, String>>();

        // It joins beside the payment service, gets a share of the partitions, and reads them from the start.
        // It commits nothing, so the payment service goes on where it was.
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of(
                        "bootstrap.servers", RunningSystem.platform().openBootstrapServers(),
                        "group.id", "payment-consumer-group",
                        "enable.auto.commit", "false",
                        "auto.offset.reset", "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("order-service"));
            await().atMost(MAX_WAIT).until(() -> {
                consumer.poll(Duration.ofMillis(100));
                return !consumer.assignment().isEmpty();
            });
            consumer.seekToBeginning(consumer.assignment());
            var ends = consumer.endOffsets(consumer.assignment());
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(mine::add);
            }
        }

        // What another test has put on the topic, to see it parked.
        mine.removeIf(record -> record.headers().lastHeader("source") == null);
        var json = new JsonMapper();
        assertThat(mine).isNotEmpty();
        for (var record : mine) {
            var order = json.readTree(record.value());
            assertThat(order.path("id").asText()).isEqualTo(record.key());
            assertThat(order.path("status").asText())
                    .isIn(
                            "PENDING",
                            "RESERVED",
                            "OUT_OF_STOCK",
                            "PAID",
                            "DECLINED",
                            "CONFIRMED",
                            "REJECTED",
                            "CANCELLED",
                            "REFUNDED");
            for (var header : List.of("id", "type", "source", "version", "schema", "traceparent")) {
                assertThat(new String(record.headers().lastHeader(header).value(), UTF_8))
                        .as(header)
                        .isNotBlank();
            }
        }
        var after = shop.order(1);
        assertThat(shop.awaitEnd(after).path("status").asText()).isEqualTo("CONFIRMED");
    }
}
