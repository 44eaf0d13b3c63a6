package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.SchemaRegistry;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Services of one format are replaced, one by one, by the same of another, while orders are placed. Each
 * takes one other format, for who reads does not know who wrote. Eight starts of services take five minutes,
 * so it only runs when it is told to: {@code -Dorderly.formats=true}.
 */
@Tag("processes")
@EnabledIfSystemProperty(named = "orderly.formats", matches = "true")
class FormatSwitchTest {

    private static final Duration START = Duration.ofSeconds(120);
    /** Between two orders: some hundred in all. */
    private static final Duration PAUSE = Duration.ofMillis(200);

    private static final int MONEY = 100_000_000;

    private static final String AVRO = "application/avro";
    private static final String PROTOBUF = "application/x-protobuf";

    @TempDir
    private Path folder;

    private final Map<String, SecondInstance> instances = new ConcurrentHashMap<>();
    private final List<ClientProgram> clients = new ArrayList<>();
    private RunningPlatform platform;

    /** Without the services: those of the launcher have one format. */
    @BeforeEach
    void start() throws IOException, InterruptedException {
        platform = RunningPlatform.temporary(
                Map.of(), "platform", "--free-ports", "--brokers=1", "--event-format=avro", "--open-kafka");
        platform.start();
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        for (var client : clients) {
            client.kill();
        }
        for (var instance : instances.values()) {
            instance.close();
        }
        platform.close();
    }

    @Test
    void from_JSON_to_Avro_and_Protobuf_and_back_every_order_is_decided_and_no_event_is_parked() throws Exception {
        for (var service : RunningPlatform.SERVICES) {
            instances.put(service, instance(service, "json"));
        }
        for (var instance : instances.values()) {
            assertThat(instance.awaitReady(START)).as(instance.service()).isTrue();
        }
        startClients();
        var shop = new Shop((service, path) -> instances.get(service).url(path), platform.tokens(), MONEY, MONEY);
        var load = new Load(shop);
        try {
            load.awaitNext();
            switchTo("payment-service", "avro");
            switchTo("order-service", "protobuf");
            load.awaitNext();
            // What it knows is in its database, and no service that runs needs it.
            platform.awaitRestart(platform.kill(SchemaRegistry.NAME));
            switchTo("inventory-service", "avro");
            load.awaitNext();
            switchTo("order-service", "json");
            load.awaitNext();
        } finally {
            load.end();
        }

        assertThat(load.failed).isEmpty();
        for (var order : load.placed) {
            shop.awaitStatus(order, START, "CONFIRMED");
            assertThat(shop.timeline(order))
                    .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        }
        shop.assertSold(load.placed.size());
        shop.assertSpent(load.placed.size() * Shop.PRICE);
        for (var database : RunningPlatform.DATABASES) {
            assertThat(platform.number(database, "SELECT count(*) FROM parked_event"))
                    .as(database)
                    .isZero();
        }
        assertThat(platform.ask("GET", platform.url(SchemaRegistry.NAME, SchemaRegistry.SUBJECTS), null))
                .as("what the registry says without a login")
                .isEmpty();
        var records = records();
        assertThat(records.stream().collect(groupingBy(record -> header(record, "source"), contentTypes())))
                .containsEntry("order-service", Set.of("", PROTOBUF))
                .containsEntry("inventory-service", Set.of("", AVRO))
                .containsEntry("payment-service", Set.of("", AVRO));
        for (var client : clients) {
            assertReadsAllButProtobuf(client, records);
        }
    }

    /** Those that are there: ClientsTest says which are not, and why. */
    private void startClients() throws IOException {
        var registry = new HashMap<>(platform.environment("order-service"));
        registry.keySet().removeIf(name -> !name.startsWith("ORDERLY_REGISTRY_"));
        for (var client : ClientProgram.ofAvro(folder)) {
            if (client.missing() == null) {
                client.start(platform, registry);
                clients.add(client);
            }
        }
    }

    private static void assertReadsAllButProtobuf(ClientProgram client, List<ConsumerRecord<String, byte[]>> records) {
        var readable = records.stream()
                .filter(record -> !contentType(record).equals(PROTOBUF))
                .map(record -> header(record, "id"))
                .collect(toSet());
        var others = records.stream()
                .filter(record -> contentType(record).equals(PROTOBUF))
                .map(record -> record.partition() + "@" + record.offset())
                .collect(toSet());
        await(client + ", see " + client.printed()).atMost(START).untilAsserted(() -> {
            assertThat(client.query("SELECT event, at FROM seen").keySet()).isEqualTo(readable);
            assertThat(client.query("SELECT partition || '@' || position, reason FROM parked")
                            .keySet())
                    .isEqualTo(others);
        });
    }

    private SecondInstance instance(String service, String format) throws IOException {
        return new SecondInstance(platform, service, "-Dorderly.event.format=" + format);
    }

    /** A new instance joins before the former leaves. */
    private void switchTo(String service, String format) throws IOException, InterruptedException {
        var next = instance(service, format);
        var ready = next.awaitReady(START);
        var former = instances.put(service, next);
        former.close();
        assertThat(ready).as(service + " in " + format).isTrue();
    }

    /** Each is placed until it is accepted, under one key. */
    private static final class Load {
        private final List<String> placed = new ArrayList<>();
        private final List<Integer> failed = new ArrayList<>();
        private final CountDownLatch end = new CountDownLatch(1);
        private final Shop shop;
        private final Thread thread;

        Load(Shop shop) {
            this.shop = shop;
            thread = Thread.ofVirtual().start(this::place);
        }

        private void place() {
            try {
                var key = UUID.randomUUID().toString();
                do {
                    var response = shop.tryToOrder(1, key);
                    if (response.statusCode() != 503) {
                        record(response);
                        key = UUID.randomUUID().toString();
                    }
                } while (!end.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private synchronized void record(HttpResponse<String> response) {
            if (response.statusCode() == 202) {
                placed.add(ShopClient.id(response));
            } else {
                failed.add(response.statusCode());
            }
        }

        private synchronized int count() {
            return placed.size();
        }

        /** Returns when an order that is placed from now on has been confirmed. */
        void awaitNext() {
            int before = count();
            await().atMost(START).until(() -> count() > before + 1);
            String order;
            synchronized (this) {
                order = placed.get(before + 1);
            }
            shop.awaitStatus(order, START, "CONFIRMED");
        }

        void end() throws InterruptedException {
            end.countDown();
            thread.join();
        }
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }

    private static Collector<ConsumerRecord<String, byte[]>, ?, Set<String>> contentTypes() {
        return mapping(FormatSwitchTest::contentType, toSet());
    }

    /** Empty for a record that names none. */
    private static String contentType(ConsumerRecord<?, ?> record) {
        return record.headers().lastHeader("content-type") == null ? "" : header(record, "content-type");
    }

    /** All of the topic. */
    private List<ConsumerRecord<String, byte[]>> records() {
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        try (var consumer =
                new KafkaConsumer<>(platform.kafka(Map.of()), new StringDeserializer(), new ByteArrayDeserializer())) {
            var partitions = consumer.partitionsFor(RunningPlatform.TOPIC).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        return records;
    }
}
