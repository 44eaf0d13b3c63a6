package dev.orderly.e2e;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the relay loses comes back, and what nobody can read is neither lost nor in the way. */
@ExtendWith(RunningSystem.class)
class LossTest {

    @Test
    void an_event_that_went_down_with_its_replication_slot_is_published_again() throws SQLException {
        var shop = new Shop(1, 5000);
        String id;
        try (var _ = RunningSystem.holdRelays()) {
            id = orderWhoseEventStaysIn("inventory", shop);
            RunningSystem.dropSlot("inventory");
        }

        await().atMost(Duration.ofSeconds(90))
                .untilAsserted(() -> Shop.look(id).then().body("status", equalTo("CONFIRMED")));
        assertThat(Shop.timeline(id))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        await().untilAsserted(() -> shop.assertSold(1));
        shop.assertSpent(Shop.PRICE);
    }

    /** All four: their log is one. */
    @Test
    void events_whose_replication_slot_the_server_has_given_up_are_published_again() throws SQLException {
        var shop = new Shop(1, 5000);
        String id;
        try (var _ = RunningSystem.holdRelays()) {
            id = orderWhoseEventStaysIn("payments", shop);
            RunningSystem.giveUpSlots("payments");
        }

        await().atMost(Duration.ofSeconds(120))
                .untilAsserted(() -> Shop.look(id).then().body("status", equalTo("CONFIRMED")));
        shop.assertSpent(Shop.PRICE);
    }

    private static String orderWhoseEventStaysIn(String database, Shop shop) {
        RunningSystem.stopRelay(database);
        var id = shop.order(1);
        await().atMost(Duration.ofSeconds(20))
                .until(() ->
                        RunningSystem.number(database, "SELECT count(*) FROM outbox WHERE key = '" + id + "'") == 1);
        return id;
    }

    @Test
    void a_partition_that_is_missing_is_there_when_its_service_has_started() throws SQLException {
        var last = "outbox_" + LocalDate.now(ZoneOffset.UTC).plusDays(7).format(DateTimeFormatter.BASIC_ISO_DATE);
        RunningSystem.change("inventory", "DROP TABLE " + last);
        long former = RunningSystem.pid("inventory-service");

        RunningSystem.kill("inventory-service");
        RunningSystem.awaitRestart("inventory-service", former);

        assertThat(RunningSystem.number("inventory", "SELECT count(*) FROM pg_class WHERE relname = '" + last + "'"))
                .isEqualTo(1);
    }

    @Test
    void a_relay_that_somebody_has_stopped_and_left_so_runs_again() {
        var shop = new Shop(1, 5000);
        RunningSystem.stopRelay("payments");

        var id = shop.order(1);

        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> Shop.look(id).then().body("status", equalTo("CONFIRMED")));
    }

    @Test
    void a_record_that_nobody_can_read_is_a_dead_letter_and_an_operator_can_clear_the_way() throws Exception {
        var order = UUID.randomUUID();
        var garbage = new ProducerRecord<>("order-service", order.toString(), "{oops");
        garbage.headers().add("type", "OrderPlaced".getBytes(UTF_8));
        try (var producer = new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", RunningSystem.bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            producer.send(garbage).get();
        }

        var dead = deadLetters(order, 2);

        assertThat(dead).allSatisfy(letter -> {
            assertThat(letter.value()).isEqualTo("{oops");
            assertThat(header(letter, "reason")).isEqualTo("UNREADABLE");
            assertThat(header(letter, "origin")).startsWith("order-service-");
        });
        assertThat(dead)
                .extracting(letter -> header(letter, "consumer"))
                .containsExactlyInAnyOrder("inventory-consumer-group", "order-view-consumer-group");
        assertThat(RunningSystem.orderly("parked", "list", "--order", order.toString()))
                .contains("UNREADABLE", "given up", "inventory", "order-view");
        for (var group : List.of("inventory-consumer-group", "order-view-consumer-group")) {
            var service = group.startsWith("inventory") ? "inventory-service" : "order-service";
            String event = given().get(
                            RunningSystem.url(service) + "/parked-events?key={order}&consumer={group}", order, group)
                    .path("[0].eventId");
            assertThat(RunningSystem.orderly("parked", "discard", event, "--why", "a test", "--consumer", group))
                    .contains("discard: OrderPlaced of order " + order);
        }
        assertThat(RunningSystem.orderly("parked", "list", "--order", order.toString()))
                .contains("nothing is parked");
    }

    private static List<ConsumerRecord<String, String>> deadLetters(UUID order, int count) {
        try (var consumer = new KafkaConsumer<>(
                Map.<String, Object>of(
                        "bootstrap.servers",
                        RunningSystem.bootstrapServers(),
                        "group.id",
                        "test-" + order,
                        "auto.offset.reset",
                        "earliest"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("order-service.dlq"));
            var found = new ArrayList<ConsumerRecord<String, String>>();
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    if (record.key().equals(order.toString())) {
                        found.add(record);
                    }
                }
                return found.size() >= count;
            });
            return found;
        }
    }

    private static String header(ConsumerRecord<String, String> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }
}
