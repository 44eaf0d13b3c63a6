package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.testkit.ShopClient;
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
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;

/** What the relay loses comes back, and what no service can read is neither lost nor in the way. */
@EndToEnd
class LossTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(30);
    /** For the auditor to find a lost event, and the reconciler a relay that does not run. */
    private static final Duration REPAIRED = Duration.ofSeconds(120);

    @Test
    void an_event_that_went_down_with_its_replication_slot_is_published_again() throws Exception {
        var shop = RunningSystem.shop(1, 5000);
        var relay = new Relay("inventory");
        String id;
        try (var _ = Relay.lock()) {
            id = orderWhoseEventStaysIn("inventory", shop);
            relay.dropSlot();
        }

        shop.awaitStatus(id, REPAIRED, "CONFIRMED");
        assertThat(shop.timeline(id))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        shop.assertSold(1);
        shop.assertSpent(Shop.PRICE);
    }

    /** All four slots: the databases share one log. */
    @Test
    void events_whose_replication_slot_the_server_has_given_up_are_published_again() throws Exception {
        var shop = RunningSystem.shop(1, 5000);
        String id;
        try (var _ = Relay.lock()) {
            id = orderWhoseEventStaysIn("payments", shop);
            new Relay("payments").invalidateSlot();
        }

        shop.awaitStatus(id, REPAIRED, "CONFIRMED");
        shop.assertSpent(Shop.PRICE);
    }

    private static String orderWhoseEventStaysIn(String database, Shop shop) throws InterruptedException {
        new Relay(database).stop();
        var id = shop.order(1);
        var sql = "SELECT count(*) FROM outbox WHERE key = '" + id + "'";
        await().atMost(MAX_WAIT).until(() -> RunningSystem.platform().number(database, sql) == 1);
        return id;
    }

    @Test
    void a_partition_that_is_missing_is_there_when_its_service_has_started() throws Exception {
        var platform = RunningSystem.platform();
        var last = "outbox_" + LocalDate.now(ZoneOffset.UTC).plusDays(7).format(DateTimeFormatter.BASIC_ISO_DATE);
        platform.execute("inventory", "DROP TABLE " + last);

        platform.awaitRestart(platform.kill("inventory-service"));

        assertThat(platform.number("inventory", "SELECT count(*) FROM pg_class WHERE relname = '" + last + "'"))
                .isEqualTo(1);
    }

    @Test
    void a_relay_that_somebody_has_stopped_and_left_so_runs_again() throws Exception {
        var shop = RunningSystem.shop(1, 5000);
        new Relay("payments").stop();

        var id = shop.order(1);

        shop.awaitStatus(id, REPAIRED, "CONFIRMED");
    }

    @Test
    void a_record_that_nobody_can_read_is_a_dead_letter_and_an_operator_can_clear_the_way() throws Exception {
        var order = UUID.randomUUID();
        var garbage = new ProducerRecord<>("order-service", order.toString(), "{oops");
        garbage.headers().add("type", "OrderPlaced".getBytes(UTF_8));
        try (var producer = new KafkaProducer<>(
                RunningSystem.platform().kafka(Map.of()), new StringSerializer(), new StringSerializer())) {
            producer.send(garbage).get();
        }

        var dead = deadLetters(order, 2);

        assertThat(dead).allSatisfy(record -> {
            assertThat(record.value()).isEqualTo("{oops");
            assertThat(header(record, "reason")).isEqualTo("UNREADABLE");
            assertThat(header(record, "origin")).startsWith("order-service-");
        });
        assertThat(dead)
                .extracting(record -> header(record, "consumer"))
                .containsExactlyInAnyOrder("inventory-consumer-group", "order-view-consumer-group");
        assertThat(RunningSystem.orderly("parked", "list", "--order", order.toString()))
                .contains("UNREADABLE", "given up", "inventory", "order-view");
        var client = new ShopClient(
                RunningSystem.platform()::url, RunningSystem.platform().tokens());
        for (var group : List.of("inventory-consumer-group", "order-view-consumer-group")) {
            var service = group.startsWith("inventory") ? "inventory-service" : "order-service";
            var parked = RunningSystem.platform().url(service, "/parked-events?key=" + order + "&consumer=" + group);
            var event = ShopClient.json(client.asStaff("GET", parked, null))
                    .at("/0/eventId")
                    .asText();
            assertThat(RunningSystem.orderly("parked", "discard", event, "--why", "a test", "--consumer", group))
                    .contains("discard: OrderPlaced of order " + order);
        }
        assertThat(RunningSystem.orderly("parked", "list", "--order", order.toString()))
                .contains("nothing is parked");
    }

    /** A reader of a batch has all of it in memory, whatever its size on the wire. */
    @Test
    void a_compressed_record_that_is_too_large_when_it_is_read_is_refused() {
        var settings = RunningSystem.platform()
                .kafka(Map.of("compression.type", "gzip", "max.request.size", 16 * 1024 * 1024));
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            var zeros = new ProducerRecord<>("order-service", "order", new byte[8 * 1024 * 1024]);

            assertThatThrownBy(() -> producer.send(zeros).get()).hasCauseInstanceOf(RecordTooLargeException.class);
        }
    }

    private static List<ConsumerRecord<String, String>> deadLetters(UUID order, int count) {
        try (var consumer = new KafkaConsumer<>(
                RunningSystem.platform()
                        .kafka(
                                KafkaLogin.READER,
                                Map.of("group.id", "reader-" + order, "auto.offset.reset", "earliest")),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.subscribe(List.of("order-service.dlq"));
            var found = new ArrayList<ConsumerRecord<String, String>>();
            await().atMost(MAX_WAIT).until(() -> {
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
