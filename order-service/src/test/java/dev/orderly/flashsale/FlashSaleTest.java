package dev.orderly.flashsale;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.not;

import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
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
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
class FlashSaleTest {

    private static final Instant PAST = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant FUTURE = Instant.parse("2099-01-01T00:00:00Z");

    @Inject
    DataSource database;

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String brokers;

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
                                "SELECT count(*) FROM outbox JOIN flash_sale_ticket ON key = order_id::text WHERE sale_id = ?",
                                sale))
                .isEqualTo(5);
        await().until(() -> buy(UUID.randomUUID()).statusCode() == 410);
        given().get("/flash-sales/" + sale).then().body("left", equalTo(0));
        given().post("/flash-sales/" + sale + "/orders").then().statusCode(410); // whoever they may be
    }

    @Test
    void a_sale_has_its_line_to_itself_however_many_were_on_the_topic_before() throws Exception {
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
    void who_buys_again_or_is_delivered_again_is_in_line_once() throws SQLException {
        announce("console", 5, PAST, FUTURE);
        var greedy = UUID.randomUUID();

        for (var i = 0; i < 5; i++) {
            buy(greedy).then().statusCode(202);
        }
        await().until(() -> ticket(greedy).statusCode() == 200);
        buy(greedy).then().statusCode(202);
        var last = UUID.randomUUID();
        buy(last);
        await().until(() -> ticket(last).statusCode() == 200);

        assertThat(sql().number("SELECT granted FROM flash_sale WHERE id = ?", sale))
                .isEqualTo(2);
        ticket(greedy).then().body("outcome", equalTo("ORDERED"));
        assertThat(sql().number(
                                "SELECT count(*) FROM orders JOIN flash_sale_ticket ON order_id = id WHERE sale_id = ?",
                                sale))
                .isEqualTo(2);
    }

    @Test
    void who_came_first_is_first() throws SQLException {
        announce("console", 3, PAST, FUTURE);
        var buyers = Stream.generate(UUID::randomUUID).limit(9).toList();

        send(buyers);

        await().until(() -> ticket(buyers.getLast()).statusCode() == 200);
        for (var i = 0; i < buyers.size(); i++) {
            ticket(buyers.get(i)).then().body("outcome", equalTo(i < 3 ? "ORDERED" : "SOLD_OUT"));
        }
    }

    @Test
    void what_is_no_buyer_is_skipped_and_holds_up_nobody() {
        announce("console", 3, PAST, FUTURE);
        var buyer = UUID.randomUUID();

        try (var producer = producer()) {
            producer.send(new ProducerRecord<>("flash-sale-intake", sale, "nobody".getBytes(UTF_8)));
            producer.send(new ProducerRecord<>("flash-sale-intake", sale, null));
            producer.send(new ProducerRecord<>(
                    "flash-sale-intake", "no-such-sale", buyer.toString().getBytes(UTF_8)));
        }
        buy(buyer).then().statusCode(202);

        await().until(() -> ticket(buyer).statusCode() == 200);
        ticket(buyer).then().body("outcome", equalTo("ORDERED"));
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
    void a_sale_is_open_from_then_till_then() {
        announce("console", 3, FUTURE, FUTURE.plusSeconds(1)).then().statusCode(200);
        buy(UUID.randomUUID())
                .then()
                .statusCode(409)
                .contentType("application/problem+json")
                .body("detail", equalTo("The sale is not open."));

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
    void who_does_not_say_who_they_are_buys_nothing(String body) {
        announce("console", 3, PAST, FUTURE);

        given().contentType(ContentType.JSON)
                .body(body)
                .post("/flash-sales/" + sale + "/orders")
                .then()
                .statusCode(400)
                .contentType("application/problem+json");
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
    void a_sale_that_makes_no_sense_is_not_announced(String wrong) {
        var field = wrong.substring(0, wrong.indexOf('"'));
        var body = announcement("console", 3, PAST, FUTURE).replaceAll(field + "\":(\"[^\"]*\"|\\d+)", wrong);

        given().contentType(ContentType.JSON)
                .body(body)
                .put("/flash-sales/" + sale)
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("errors.field", hasItem(field));
        given().get("/flash-sales/" + sale).then().statusCode(404);
    }

    @Test
    void what_is_no_id_of_a_sale_is_not_looked_for() {
        given().urlEncodingEnabled(false)
                .get("/flash-sales/%00/orders/" + UUID.randomUUID())
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("errors.field", hasItem("id"));
    }

    @Test
    void there_is_no_such_sale() {
        buy(UUID.randomUUID()).then().statusCode(404).body("detail", not(equalTo(null)));
        ticket(UUID.randomUUID()).then().statusCode(404);
    }

    private Response announce(String sku, int units, Instant opens, Instant closes) {
        return given().contentType(ContentType.JSON)
                .body(announcement(sku, units, opens, closes))
                .put("/flash-sales/" + sale);
    }

    private static String announcement(String sku, int units, Instant opens, Instant closes) {
        return "{\"sku\":\"%s\",\"units\":%d,\"opensAt\":\"%s\",\"closesAt\":\"%s\"}"
                .formatted(sku, units, opens, closes);
    }

    private Response buy(UUID customer) {
        return buy(sale, customer);
    }

    private static Response buy(String sale, UUID customer) {
        return given().contentType(ContentType.JSON)
                .body("{\"customerId\":\"" + customer + "\"}")
                .post("/flash-sales/" + sale + "/orders");
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

    /** As the intake does, and in one go. */
    private void send(List<UUID> buyers) {
        try (var producer = producer()) {
            buyers.forEach(buyer -> producer.send(new ProducerRecord<>(
                    "flash-sale-intake", sale, buyer.toString().getBytes(UTF_8))));
        }
    }

    private KafkaProducer<String, byte[]> producer() {
        return new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers), new StringSerializer(), new ByteArraySerializer());
    }

    private List<String> outcomes(String outcome) throws SQLException {
        return sql().strings(
                        "SELECT customer_id FROM flash_sale_ticket WHERE outcome = ? AND sale_id = ?", outcome, sale);
    }

    private Sql sql() {
        return new Sql(database);
    }
}
