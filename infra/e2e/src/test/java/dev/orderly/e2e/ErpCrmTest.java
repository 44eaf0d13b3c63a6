package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.connect.SinkWorker;
import dev.orderly.testkit.ShopClient;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/** ERP and CRM, which Kafka Connect keeps up to date. {@code ./orderly scenario erp-crm} shows more of it. */
@EndToEnd
class ErpCrmTest {
    private static final Duration MAX_WAIT = Duration.ofSeconds(60);

    @Test
    void an_order_is_in_the_erp_with_its_lines_and_its_latest_status() throws Exception {
        var shop = RunningSystem.shop(10, 100_000);
        var order = shop.order(2);
        shop.awaitEnd(order);

        await().atMost(MAX_WAIT)
                .untilAsserted(() -> assertThat(erp(order)).isEqualTo("CONFIRMED " + 2 * Shop.PRICE + " 2"));
    }

    @Test
    void an_event_that_is_read_again_changes_nothing() throws Exception {
        var shop = RunningSystem.shop(1_000, 1_000_000);
        var order = shop.order(1);
        shop.awaitEnd(order);
        await().atMost(MAX_WAIT).untilAsserted(() -> assertThat(erp(order)).startsWith("CONFIRMED"));

        // As on a replay: the first event of the order comes after its last.
        var first = ofKey("order-service", order).getFirst();
        send(new ProducerRecord<>("order-service", null, first.key(), first.value(), first.headers()));
        // Until one of the same partition has come, which is behind it.
        await().atMost(MAX_WAIT).until(() -> {
            var next = shop.order(1);
            await().atMost(MAX_WAIT).until(() -> !erp(next).isEmpty());
            return ofKey("order-service", next).getFirst().partition() == first.partition();
        });

        assertThat(erp(order)).isEqualTo("CONFIRMED " + Shop.PRICE + " 1");
    }

    @Test
    void who_is_erased_is_gone_from_the_crm_and_does_not_come_back() throws Exception {
        var platform = RunningSystem.platform();
        var customer = register("Dora");
        await().atMost(MAX_WAIT).until(() -> crm(customer) == 1);
        var registered = ofKey("customer-service", customer).getFirst();

        platform.askAsStaff("DELETE", platform.url("order-service", "/customers/" + customer), null)
                .orElseThrow();
        await().atMost(MAX_WAIT).until(() -> crm(customer) == 0);
        var sink = platform.kill(SinkWorker.NAME);
        send(new ProducerRecord<>(
                "customer-service", null, registered.key(), registered.value(), registered.headers()));
        platform.awaitRestart(sink);

        // Until one of the same partition has come, which is behind it.
        await().atMost(MAX_WAIT).until(() -> {
            var next = register("Emil");
            await().atMost(MAX_WAIT).until(() -> crm(next) == 1);
            return ofKey("customer-service", next).getFirst().partition() == registered.partition();
        });
        assertThat(crm(customer)).isZero();
    }

    @Test
    void an_event_that_cannot_be_written_is_a_dead_letter_and_stops_no_other() throws Exception {
        var key = UUID.randomUUID().toString();
        var event = new ProducerRecord<>("order-service", key, "{no JSON");
        Map.of(
                        "id",
                        UUID.randomUUID().toString(),
                        "type",
                        "StockCounted",
                        "source",
                        "test",
                        "version",
                        "1",
                        "schema",
                        "1")
                .forEach((name, value) -> event.headers().add(name, value.getBytes(UTF_8)));
        send(event);

        var shop = RunningSystem.shop(10, 100_000);
        var orders = List.of(shop.order(1), shop.order(1), shop.order(1));
        for (var order : orders) {
            shop.awaitEnd(order);
            await().atMost(MAX_WAIT).untilAsserted(() -> assertThat(erp(order)).startsWith("CONFIRMED"));
        }

        await().atMost(MAX_WAIT).until(() -> ofKey("erp.dlq", key).size() == 1);
        var letter = ofKey("erp.dlq", key).getFirst();
        assertThat(letter.value()).isEqualTo("{no JSON");
        assertThat(header(letter, "__connect.errors.topic")).isEqualTo("order-service");
        assertThat(header(letter, "__connect.errors.exception.message")).contains("invalid input syntax for type json");
    }

    @Test
    void a_database_that_keeps_the_sink_out_is_caught_up_with() throws Exception {
        var platform = RunningSystem.platform();
        var shop = RunningSystem.shop(10, 100_000);
        var order = "";
        platform.execute("erp", "ALTER ROLE erp_sink NOLOGIN");
        try {
            platform.execute(
                    "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'erp_sink'");
            order = shop.order(1);
            shop.awaitEnd(order);
            await().atMost(MAX_WAIT)
                    .until(() -> platform.log("sinks").stream()
                            .anyMatch(line -> line.contains("not written, to be tried again")));
            assertThat(erp(order)).isEmpty();
        } finally {
            platform.execute("erp", "ALTER ROLE erp_sink LOGIN");
        }

        var placed = order;
        await().atMost(MAX_WAIT).untilAsserted(() -> assertThat(erp(placed)).startsWith("CONFIRMED"));
    }

    @Test
    void the_role_of_a_sink_can_hand_in_events_and_nothing_else() {
        for (var statement : List.of(
                "SELECT FROM event", "SELECT FROM orders", "DELETE FROM orders", "UPDATE applied SET version = 0")) {
            assertThatThrownBy(() -> {
                        try (var connection = RunningSystem.platform().connect("erp", "erp_sink");
                                var attempt = connection.createStatement()) {
                            attempt.execute(statement);
                        }
                    })
                    .as(statement)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("permission denied");
        }
        assertThatThrownBy(() -> RunningSystem.platform().connect("crm", "erp_sink"))
                .isInstanceOf(SQLException.class);
    }

    /** Status, total and number of units; empty of one that it has not. */
    private static String erp(String order) throws SQLException {
        try (var connection = RunningSystem.platform().connect("erp");
                var statement = connection.createStatement();
                var row = statement.executeQuery("""
                        SELECT concat_ws(' ', status, total, (SELECT sum(quantity) FROM order_line WHERE order_id = id))
                        FROM orders WHERE id = '%s'
                        """.formatted(order))) {
            return row.next() ? row.getString(1) : "";
        }
    }

    private static String register(String name) throws InterruptedException {
        var number = "%08d".formatted(ThreadLocalRandom.current().nextInt(100_000_000));
        var person =
                Map.of("name", name + " Example", "mail", name + number + "@shop.example", "phone", "+49152" + number);
        var customers = RunningSystem.platform().url("order-service", "/customers");
        return ShopClient.id(ShopClient.send("POST", customers, person));
    }

    private static long crm(String customer) {
        return RunningSystem.platform().number("crm", "SELECT count(*) FROM customer WHERE id = '" + customer + "'");
    }

    private static void send(ProducerRecord<String, String> event) throws ExecutionException, InterruptedException {
        var settings = RunningSystem.platform().kafka(Map.of());
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.send(event).get();
        }
    }

    private static String header(ConsumerRecord<String, String> event, String name) {
        return new String(event.headers().lastHeader(name).value(), UTF_8);
    }

    private static List<ConsumerRecord<String, String>> ofKey(String topic, String key) {
        var settings = RunningSystem.platform().kafka(Map.of());
        var found = new ArrayList<ConsumerRecord<String, String>>();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            var partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                consumer.poll(Duration.ofMillis(200)).forEach(event -> {
                    if (key.equals(event.key())) {
                        found.add(event);
                    }
                });
            }
        }
        return found;
    }
}
