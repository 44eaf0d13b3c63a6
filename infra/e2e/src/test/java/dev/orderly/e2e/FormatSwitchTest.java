package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.SchemaRegistry;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Services of one format are replaced, one by one, by the same of another, while orders are placed. Each
 * takes one other format: a start takes long on a machine that is busy, and who reads does not know who wrote.
 */
@Tag("processes")
class FormatSwitchTest {

    private static final Duration START = Duration.ofSeconds(120);
    /** Between two orders: some hundred in all. */
    private static final Duration PAUSE = Duration.ofMillis(200);

    private static final int MONEY = 100_000_000;

    private final Map<String, SecondInstance> instances = new ConcurrentHashMap<>();
    private RunningPlatform platform;

    /** Without the services: those of the launcher have one format. */
    @BeforeEach
    void start() throws IOException, InterruptedException {
        platform =
                RunningPlatform.temporary(Map.of(), "platform", "--free-ports", "--brokers=1", "--event-format=avro");
        platform.start();
    }

    @AfterEach
    void stop() throws IOException {
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
        assertThat(contentTypesBySource())
                .containsEntry("order-service", new TreeSet<>(List.of("", "application/x-protobuf")))
                .containsEntry("inventory-service", new TreeSet<>(List.of("", "application/avro")))
                .containsEntry("payment-service", new TreeSet<>(List.of("", "application/avro")));
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

    /** Empty for a record that names none. */
    private Map<String, TreeSet<String>> contentTypesBySource() {
        var types = new TreeMap<String, TreeSet<String>>();
        try (var consumer =
                new KafkaConsumer<>(platform.kafka(Map.of()), new StringDeserializer(), new ByteArrayDeserializer())) {
            var partitions = consumer.partitionsFor(RunningPlatform.TOPIC).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(record -> {
                    var type = record.headers().lastHeader("content-type");
                    var source =
                            new String(record.headers().lastHeader("source").value(), UTF_8);
                    types.computeIfAbsent(source, _ -> new TreeSet<>())
                            .add(type == null ? "" : new String(type.value(), UTF_8));
                });
            }
        }
        return types;
    }
}
