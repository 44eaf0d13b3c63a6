package dev.orderly.flashsale;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.orderly.IntegrationTest;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RecordGenerator;
import dev.orderly.testing.RecordGenerator.Recipe;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class FlashSaleTest extends IntegrationTest {

    private static final Instant PAST = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant FUTURE = Instant.parse("2099-01-01T00:00:00Z");

    @Inject
    FlashSaleConsumer consumer;

    private final String sale = "sale-" + UUID.randomUUID();

    @BeforeEach
    void catalogue() {
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"Console\",\"price\":{\"amount\":49900,\"currency\":\"EUR\"}}")
                .put("/products/console");
    }

    @Test
    void each_buyer_gets_one_unit_and_an_order_for_as_long_as_there_are_any() throws Exception {
        announce("console", 5, PAST, FUTURE).then().statusCode(200).body("left", equalTo(5));

        for (var answer : all(Stream.generate(UUID::randomUUID).limit(40).toList())) {
            assertThat(answer.statusCode()).isIn(202, 410);
        }

        await().until(() -> outcomes("ORDERED").size() == 5);
        assertThat(sql().number(
                                "SELECT count(*) FROM orders JOIN flash_sale_ticket ON order_id = id WHERE sale_id = ?",
                                sale))
                .isEqualTo(5);
        assertThat(sql().number(
                                "SELECT count(*) FROM outbox JOIN flash_sale_ticket ON key = order_id::text"
                                        + " WHERE sale_id = ?",
                                sale))
                .isEqualTo(5);
        await().until(() -> buy(UUID.randomUUID()).statusCode() == 410);
        given().get("/flash-sales/" + sale).then().body("left", equalTo(0));
        given().post("/flash-sales/" + sale + "/orders").then().statusCode(410); // without knowing the buyer
    }

    @Test
    void a_sale_has_its_queue_to_itself_however_many_buyers_were_on_the_topic_before() throws Exception {
        try (var producer = producer()) {
            for (var i = 0; i < 600; i++) {
                var buyer = UUID.randomUUID().toString().getBytes(UTF_8);
                producer.send(new ProducerRecord<>("flash-sale-intake", i % 3, "sale-of-yesterday", buyer));
            }
        }
        announce("console", 40, PAST, FUTURE);

        for (var answer : all(Stream.generate(UUID::randomUUID).limit(40).toList())) {
            answer.then().statusCode(202);
        }
    }

    @Test
    void a_buyer_who_asks_again_or_is_redelivered_gets_one_ticket() throws SQLException {
        announce("console", 5, PAST, FUTURE);
        var repeated = UUID.randomUUID();

        for (var i = 0; i < 5; i++) {
            buy(repeated).then().statusCode(202);
        }
        await().until(() -> ticket(repeated).statusCode() == 200);
        buy(repeated).then().statusCode(202);
        var last = UUID.randomUUID();
        buy(last);
        await().until(() -> ticket(last).statusCode() == 200);

        assertThat(sql().number("SELECT granted FROM flash_sale WHERE id = ?", sale))
                .isEqualTo(2);
        ticket(repeated).then().body("outcome", equalTo("ORDERED"));
        assertThat(sql().number(
                                "SELECT count(*) FROM orders JOIN flash_sale_ticket ON order_id = id WHERE sale_id = ?",
                                sale))
                .isEqualTo(2);
    }

    @Test
    void there_is_a_maximum_of_sales_since_all_of_them_are_in_memory() throws SQLException {
        announce("console", 5, PAST, FUTURE).then().statusCode(200);
        sql().execute("""
                INSERT INTO flash_sale (id, sku, units, opens_at, closes_at)
                SELECT 'full-' || i, 'console', 1, '2020-01-01', '2099-01-01' FROM generate_series(1, 1000) AS i
                ON CONFLICT (id) DO UPDATE SET closes_at = excluded.closes_at
                """);
        try {
            given().contentType(ContentType.JSON)
                    .body(announcement("console", 5, PAST, FUTURE))
                    .put("/flash-sales/one-too-many")
                    .then()
                    .statusCode(409);
            announce("console", 5, PAST, FUTURE).then().statusCode(200); // announced before
            assertThat(sql().strings("SELECT command FROM command_audit WHERE target = ?", "flash sale " + sale))
                    .containsExactly("announce a sale of 5 console");
        } finally {
            sql().execute("UPDATE flash_sale SET closes_at = '2020-01-02' WHERE id LIKE 'full-%'");
        }
    }

    @Test
    void first_come_is_first_served() throws SQLException {
        announce("console", 3, PAST, FUTURE);
        var buyers = Stream.generate(UUID::randomUUID).limit(9).toList();

        send(buyers);

        await().until(() -> ticket(buyers.getLast()).statusCode() == 200);
        for (var i = 0; i < buyers.size(); i++) {
            ticket(buyers.get(i)).then().body("outcome", equalTo(i < 3 ? "ORDERED" : "SOLD_OUT"));
        }
    }

    @Test
    void an_undecodable_buyer_is_skipped_and_blocks_no_other() {
        announce("console", 3, PAST, FUTURE);
        var buyer = UUID.randomUUID();

        try (var producer = producer()) {
            producer.send(new ProducerRecord<>("flash-sale-intake", sale, "no id".getBytes(UTF_8)));
            producer.send(new ProducerRecord<>("flash-sale-intake", sale, null));
            producer.send(new ProducerRecord<>(
                    "flash-sale-intake", "\0", buyer.toString().getBytes(UTF_8)));
            producer.send(new ProducerRecord<>(
                    "flash-sale-intake", "no-such-sale", buyer.toString().getBytes(UTF_8)));
        }
        buy(buyer).then().statusCode(202);

        await().until(() -> ticket(buyer).statusCode() == 200);
        ticket(buyer).then().body("outcome", equalTo("ORDERED"));
    }

    @Test
    void whatever_is_on_the_topic_each_buyer_among_it_gets_a_ticket() throws Exception {
        announce("console", 3, PAST, FUTURE);
        var partition = new TopicPartition("flash-sale-intake", 77); // the topic does not have it
        var buyers = new ArrayList<UUID>();
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        for (var recipe : new RecordGenerator(1).batch(300)) {
            var buyer = UUID.randomUUID();
            var valid = new ProducerRecord<>(
                    partition.topic(), sale, buyer.toString().getBytes(UTF_8));
            records.add(RecordGenerator.make(recipe, valid, partition, records.size()));
            if (recipe.equals(Recipe.VALID)) {
                buyers.add(buyer);
            }
        }

        consumer.receive(new ConsumerRecords<>(Map.of(partition, records), Map.of()));

        assertThat(sql().strings("SELECT customer_id FROM flash_sale_ticket WHERE sale_id = ?", sale))
                .containsAll(buyers.stream().map(UUID::toString).toList());
        assertThat(outcomes("ORDERED")).hasSize(3);
    }

    @Test
    void a_product_that_is_not_in_the_catalogue_is_refused_and_takes_no_unit() throws SQLException {
        announce("no-such-product", 3, PAST, FUTURE);
        var buyer = UUID.randomUUID();

        buy(buyer).then().statusCode(202);

        await().until(() -> ticket(buyer).statusCode() == 200);
        ticket(buyer).then().body("outcome", equalTo("REFUSED"));
        assertThat(sql().number("SELECT granted FROM flash_sale WHERE id = ?", sale))
                .isZero();
    }

    @Test
    void the_unit_of_a_buyer_who_is_refused_is_for_the_next() throws SQLException {
        announce("console", 1, PAST, FUTURE);
        var buyers = Stream.generate(UUID::randomUUID).limit(3).toList();
        // As if an operator had changed what the sale sells, and had it decided again.
        sql().execute("""
                INSERT INTO order_key (customer_id, origin, key_hash, request_hash, order_id, used_at)
                VALUES (?, 'FLASH_SALE', sha256(?::bytea), '', gen_random_uuid(), now())
                """, buyers.getFirst(), sale);

        send(buyers);

        await().until(() -> ticket(buyers.getLast()).statusCode() == 200);
        assertThat(buyers.stream().map(buyer -> ticket(buyer).<String>path("outcome")))
                .containsExactly("REFUSED", "ORDERED", "SOLD_OUT");
    }

    /** Of one unit, as the sale's order, and of two; still pending, and rejected long since. */
    @ParameterizedTest
    @CsvSource({"1, PENDING", "2, PENDING", "1, REJECTED"})
    void no_key_of_a_customers_own_order_takes_their_place_in_a_sale(int quantity, String status) throws SQLException {
        var buyer = UUID.randomUUID();
        var ownOrder = placeOwnOrder("flash-sale:" + sale, buyer, quantity);
        placeOwnOrder(sale, buyer, quantity);
        sql().execute("UPDATE orders SET status = ? WHERE id = ?::uuid", status, ownOrder);
        announce("console", 3, PAST, FUTURE);

        buy(buyer).then().statusCode(202);

        await().until(() -> ticket(buyer).statusCode() == 200);
        ticket(buyer).then().body("outcome", equalTo("ORDERED")).body("orderId", not(equalTo(ownOrder)));
        assertThat(sql().number("SELECT count(*) FROM orders WHERE customer_id = ?", buyer))
                .isEqualTo(3);
        assertThat(placeOwnOrder("flash-sale:" + sale, buyer, quantity)).isEqualTo(ownOrder);
    }

    private static String placeOwnOrder(String key, UUID customer, int quantity) {
        return given().contentType(ContentType.JSON)
                .header("Idempotency-Key", key)
                .body("""
                        {"customerId":"%s","lines":[{"sku":"console","quantity":%d}],"paymentMethod":"BALANCE"}
                        """.formatted(customer, quantity))
                .post("/orders")
                .then()
                .statusCode(202)
                .extract()
                .path("id");
    }

    @Test
    void a_sale_is_open_from_its_opening_to_its_closing_time() {
        announce("console", 3, FUTURE, FUTURE.plusSeconds(1)).then().statusCode(200);
        assertProblem(buy(UUID.randomUUID()).then(), 409).body("detail", equalTo("The sale is not open."));

        var over = sale + "-over";
        var now = Instant.now();
        given().contentType(ContentType.JSON)
                .body(announcement("console", 3, now.minusSeconds(2), now.minusSeconds(1)))
                .put("/flash-sales/" + over)
                .then()
                .statusCode(200);
        buy(over, UUID.randomUUID()).then().statusCode(409);
    }

    @Test
    void a_sale_is_announced_once() {
        announce("console", 3, PAST, FUTURE).then().statusCode(200);
        announce("console", 3, PAST, FUTURE).then().statusCode(200);

        announce("console", 4, PAST, FUTURE).then().statusCode(409);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "{\"customerId\":null}",
                "{\"customerId\":\"17\"}",
                "not json",
                "{\"customerId\":\"0198c6a2-0000-7000-8000-000000000001\",\"units\":2}"
            })
    void a_purchase_without_a_valid_customer_is_rejected(String body) {
        announce("console", 3, PAST, FUTURE);

        assertProblem(buy(sale, body).then(), 400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "units\":0",
                "units\":-1",
                "units\":1.5",
                "units\":1000001",
                "units\":\"x\"",
                "sku\":\"A b\"",
                "opensAt\":\"soon\"",
                "opensAt\":0",
                "opensAt\":1e400",
                "opensAt\":\"-1000000000-01-01T00:00:00Z\"",
                "closesAt\":\"2000-01-01T00:00:00Z\"",
                "closesAt\":\"2026-01-01T00:00:00.0000001Z\"",
                "closesAt\":\"+300000-01-01T00:00:00Z\"",
                "closesAt\":\"+1000000000-01-01T00:00:00Z\""
            })
    void an_invalid_sale_is_not_announced(String wrong) {
        var field = wrong.substring(0, wrong.indexOf('"'));
        var body = announcement("console", 3, PAST, FUTURE).replaceAll(field + "\":(\"[^\"]*\"|\\d+)", wrong);

        assertProblem(announce(body).then(), 400).body("errors.field", hasItem(field));
        given().get("/flash-sales/" + sale).then().statusCode(404);
    }

    @Test
    void an_invalid_id_of_a_sale_is_rejected() {
        var ticket = given().urlEncodingEnabled(false).get("/flash-sales/%00/orders/" + UUID.randomUUID());

        assertProblem(ticket.then(), 400).body("errors.field", hasItem("id"));
    }

    @Test
    void an_unknown_sale_is_not_found() {
        buy(UUID.randomUUID()).then().statusCode(404).body("detail", not(equalTo(null)));
        ticket(UUID.randomUUID()).then().statusCode(404);
    }

    private Response announce(String sku, int units, Instant opens, Instant closes) {
        return announce(announcement(sku, units, opens, closes));
    }

    private Response announce(String body) {
        return given().contentType(ContentType.JSON).body(body).put("/flash-sales/" + sale);
    }

    private static String announcement(String sku, int units, Instant opens, Instant closes) {
        return "{\"sku\":\"%s\",\"units\":%d,\"opensAt\":\"%s\",\"closesAt\":\"%s\"}"
                .formatted(sku, units, opens, closes);
    }

    private Response buy(UUID customer) {
        return buy(sale, customer);
    }

    private static Response buy(String sale, UUID customer) {
        return buy(sale, "{\"customerId\":\"" + customer + "\"}");
    }

    private static Response buy(String sale, String body) {
        return given().contentType(ContentType.JSON).body(body).post("/flash-sales/" + sale + "/orders");
    }

    /** Ten at a time. */
    private List<Response> all(List<UUID> customers) throws Exception {
        try (var threads = Executors.newFixedThreadPool(10)) {
            var answers = new ArrayList<Response>();
            for (var answer : threads.invokeAll(customers.stream()
                    .map(customer -> (Callable<Response>) () -> buy(customer))
                    .toList())) {
                answers.add(answer.get());
            }
            return answers;
        }
    }

    private Response ticket(UUID customer) {
        return given().get("/flash-sales/" + sale + "/orders/" + customer);
    }

    /** As FlashSaleQueue does, in one batch. */
    private void send(List<UUID> buyers) {
        try (var producer = producer()) {
            buyers.forEach(buyer -> producer.send(new ProducerRecord<>(
                    "flash-sale-intake", sale, buyer.toString().getBytes(UTF_8))));
        }
    }

    private KafkaProducer<String, byte[]> producer() {
        return new KafkaProducer<>(OrderTopic.cluster(), new StringSerializer(), new ByteArraySerializer());
    }

    private List<String> outcomes(String outcome) throws SQLException {
        return sql().strings(
                        "SELECT customer_id FROM flash_sale_ticket WHERE outcome = ? AND sale_id = ?", outcome, sale);
    }
}
