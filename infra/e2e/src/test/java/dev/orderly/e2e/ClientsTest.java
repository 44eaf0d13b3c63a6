package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The programs of {@code docs/clients}: all at the same time on the same orders, each killed and started
 * again, with duplicates, an unknown type and a poison message on the topic.
 */
@EndToEnd
class ClientsTest {

    private static final String TOPIC = "order-service";
    /** To start, to join, and to read what other tests have left on the topic. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(120);

    private static final int ORDERS = 12;
    private static final String UNKNOWN_TYPE = "OrderGiftWrapped";

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private static Path folder;

    private static final List<ClientProgram> CLIENTS = new ArrayList<>();
    /** Ids of events by order. */
    private static final Map<String, List<String>> EVENTS = new HashMap<>();

    private static final Map<String, String> STATUSES = new HashMap<>();
    private static final Map<TopicPartition, Long> LAST_OFFSETS = new HashMap<>();
    private static final Set<TopicPartition> PARTITIONS = new HashSet<>();
    private static final String POISON = UUID.randomUUID().toString();

    @BeforeAll
    static void run() throws Exception {
        CLIENTS.addAll(ClientProgram.all(folder));
        var running =
                CLIENTS.stream().filter(client -> client.missing() == null).toList();
        var shop = RunningSystem.shop(ORDERS * 2, 10_000_000);
        var orders = new ArrayList<String>();
        try (var topic = new KafkaConsumer<>(
                RunningSystem.platform().kafka(Map.of()), new StringDeserializer(), new StringDeserializer())) {
            topic.assign(topic.partitionsFor(TOPIC).stream()
                    .map(partition -> new TopicPartition(TOPIC, partition.partition()))
                    .toList());
            topic.seekToEnd(topic.assignment());
            topic.assignment().forEach(topic::position); // now, and not with the first poll
            PARTITIONS.addAll(topic.assignment());
            for (var client : running) {
                client.start(RunningSystem.platform(), Map.of());
            }
            orders.add(shop.order(ORDERS * 3)); // more than there are
            place(shop, orders);
            for (var client : running) {
                await(client + " reads, see " + client.printed())
                        .atMost(MAX_WAIT)
                        .ignoreExceptions()
                        .until(() ->
                                !client.query("SELECT id, status FROM orders").isEmpty());
            }
            for (var client : running) {
                client.kill();
            }
            place(shop, orders);
            for (var client : running) {
                client.start(RunningSystem.platform(), Map.of());
            }
            place(shop, orders);
            for (var order : orders) {
                STATUSES.put(order, shop.awaitEnd(order).path("status").asText());
            }
            publishAgain(read(topic, orders));
            publishWhatNobodyReads();
        }
        clearTheWay();
    }

    private static void place(Shop shop, List<String> orders) throws InterruptedException {
        for (int i = 0; i < ORDERS / 3; i++) {
            orders.add(shop.order(1));
        }
    }

    /** All that the topic has of these orders. */
    private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> topic, List<String> orders) {
        var records = new ArrayList<ConsumerRecord<String, String>>();
        var ends = topic.endOffsets(topic.assignment());
        while (ends.entrySet().stream().anyMatch(end -> topic.position(end.getKey()) < end.getValue())) {
            for (var record : topic.poll(Duration.ofMillis(200))) {
                if (orders.contains(record.key())) {
                    records.add(record);
                    EVENTS.computeIfAbsent(record.key(), _ -> new ArrayList<>()).add(header(record, "id"));
                    LAST_OFFSETS.put(new TopicPartition(TOPIC, record.partition()), record.offset());
                }
            }
        }
        return records;
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    private static void publishAgain(List<ConsumerRecord<String, String>> records) {
        try (var producer = producer()) {
            for (var record : records) {
                producer.send(new ProducerRecord<>(
                        TOPIC, record.partition(), record.key(), record.value(), record.headers()));
            }
        }
    }

    /** A poison message; and in each partition, behind all else, twice one of a type that nobody knows. */
    private static void publishWhatNobodyReads() {
        try (var producer = producer()) {
            // No service but the read model reacts to this type.
            producer.send(record(null, "PaymentRefunded", "{oops"));
            producer.flush();
            for (var partition : PARTITIONS) {
                var unknown = record(partition.partition(), UNKNOWN_TYPE, "wrapped");
                producer.send(unknown);
                producer.send(unknown);
            }
        }
    }

    private static KafkaProducer<String, String> producer() {
        return new KafkaProducer<>(
                RunningSystem.platform().kafka(Map.of()), new StringSerializer(), new StringSerializer());
    }

    private static ProducerRecord<String, String> record(Integer partition, String type, String value) {
        var record = new ProducerRecord<>(TOPIC, partition, POISON, value);
        record.headers().add("type", type.getBytes(UTF_8));
        record.headers().add("id", UUID.randomUUID().toString().getBytes(UTF_8));
        return record;
    }

    /** Other tests expect that nothing is parked. */
    private static void clearTheWay() throws IOException, InterruptedException {
        var platform = RunningSystem.platform();
        var staff = new ShopClient(platform::url, platform.tokens());
        var url = platform.url("order-service", "/parked-events?key=" + POISON);
        await("the poison message is parked")
                .atMost(MAX_WAIT)
                .until(() -> !ShopClient.json(staff.asStaff("GET", url, null)).isEmpty());
        var event = ShopClient.json(staff.asStaff("GET", url, null))
                .at("/0/eventId")
                .asText();
        RunningSystem.orderly("parked", "discard", event, "--why", "a test sent it");
    }

    @AfterAll
    static void leaveNothingRunning() throws InterruptedException {
        for (var client : CLIENTS) {
            client.kill();
        }
    }

    private static List<ClientProgram> programs() {
        return CLIENTS;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("programs")
    void each_event_counts_once_and_what_cannot_be_read_stops_nothing(ClientProgram client) throws Exception {
        assumeTrue(client.missing() == null, client.missing());

        await(client + ", see " + client.printed()).atMost(MAX_WAIT).untilAsserted(() -> {
            assertThat(client.process().isAlive()).isTrue();
            assertThat(client.query("SELECT key, reason FROM parked")).containsKey(POISON);
            assertThat(client.query("SELECT type, records FROM skipped"))
                    .containsEntry(UNKNOWN_TYPE, String.valueOf(PARTITIONS.size()));
            assertThat(client.query("SELECT id, status FROM orders")).containsAllEntriesOf(STATUSES);
        });
        client.process().destroy();
        assertThat(client.process().waitFor(MAX_WAIT.toSeconds(), TimeUnit.SECONDS))
                .as("it stops")
                .isTrue();

        assertThat(Files.readAllLines(client.printed())).last().isEqualTo("stopped");
        var counts = client.query("SELECT id, events FROM orders");
        EVENTS.forEach((order, events) -> assertThat(counts).containsEntry(order, String.valueOf(events.size())));
        assertThat(client.query("SELECT event, at FROM seen").keySet())
                .containsAll(EVENTS.values().stream().flatMap(List::stream).toList());
        if (client.group() != null) {
            assertCommittedAndLeft(client.group());
        }
    }

    /** One that was killed would be a member for some seconds more. */
    private static void assertCommittedAndLeft(String group) throws Exception {
        var admin = RunningSystem.platform().admin();
        var committed = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        LAST_OFFSETS.forEach(
                (partition, offset) -> assertThat(committed.get(partition).offset())
                        .as("%s", partition)
                        .isGreaterThan(offset));
        assertThat(admin.describeConsumerGroups(List.of(group))
                        .describedGroups()
                        .get(group)
                        .get()
                        .members())
                .isEmpty();
    }
}
