package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/** What the console may do at the brokers: see how far everything is, read orders, and nothing else. */
@EndToEnd
class ConsoleAccessTest {

    private static final Duration POLL = Duration.ofSeconds(10);
    private static final Set<String> TOPICS = Set.of(
            "order-service",
            "order-service.dlq",
            "outbox-heartbeat",
            "customer-service",
            "flash-sale-intake",
            "client-log");

    private static Map<String, Object> settings(Map<String, Object> own) {
        return RunningSystem.platform().kafka("console", own);
    }

    @Test
    void it_sees_every_topic_of_events_and_how_far_each_group_is() throws Exception {
        try (var admin = Admin.create(settings(Map.of()))) {
            assertThat(admin.listTopics().names().get()).isEqualTo(TOPICS);
            assertThat(admin.listConsumerGroupOffsets("notification-customer-consumer-group")
                            .partitionsToOffsetAndMetadata()
                            .get())
                    .isNotNull();
        }
    }

    @Test
    void it_joins_no_group_reads_no_customer_and_writes_nothing() {
        Map<String, Object> group = Map.of("group.id", "payment-consumer-group");
        try (var consumer = new KafkaConsumer<>(settings(group), new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("order-service"));
            assertThatThrownBy(() -> consumer.poll(POLL)).isInstanceOf(GroupAuthorizationException.class);
        }
        try (var consumer =
                new KafkaConsumer<>(settings(Map.of()), new StringDeserializer(), new StringDeserializer())) {
            var customers = consumer.partitionsFor("customer-service").stream()
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(customers);
            consumer.seekToBeginning(customers);
            assertThatThrownBy(() -> consumer.poll(POLL)).isInstanceOf(TopicAuthorizationException.class);
        }
        // Without idempotence, else who may write nowhere is refused before.
        Map<String, Object> plain = Map.of("enable.idempotence", false);
        try (var producer = new KafkaProducer<>(settings(plain), new StringSerializer(), new StringSerializer())) {
            assertThatThrownBy(() -> producer.send(new ProducerRecord<>("order-service", "a", "b"))
                            .get())
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(TopicAuthorizationException.class);
        }
    }
}
