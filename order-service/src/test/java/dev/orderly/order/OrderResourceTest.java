package dev.orderly.order;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;

import dev.orderly.IntegrationTest;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class OrderResourceTest extends IntegrationTest {

    /** No customer has left it: that is for payment-service to find out. */
    private static final UUID CARD = UUID.randomUUID();

    private final UUID customer = UUID.randomUUID();

    @BeforeEach
    void catalogue() {
        offer("mug", 1999, "EUR");
        offer("pen", 250, "EUR");
        offer("dime", 10, "USD");
    }

    @Test
    void an_order_is_accepted_at_our_prices_and_its_event_is_in_the_outbox() throws SQLException {
        var answer = place(key(), body("mug", 2));

        answer.then()
                .statusCode(202)
                .body("status", equalTo("PENDING"))
                .body("customerId", equalTo(customer.toString()))
                .body("lines[0].unitPrice.amount", equalTo(1999))
                .body("total.amount", equalTo(3998))
                .body("total.currency", equalTo("EUR"));
        assertThat(answer.header("Location")).endsWith("/orders/" + answer.path("id") + "?version=1");
        assertThat(outbox(answer.path("id"))).singleElement().satisfies(event -> {
            assertThat(event.type).isEqualTo("OrderPlaced");
            assertThat(event.version).isEqualTo(1);
            assertThat(event.payload).startsWith("{\"id\":\"" + answer.path("id") + "\",\"status\":\"PENDING\"");
        });
    }

    @Test
    void the_trace_of_the_request_goes_into_the_outbox_and_the_answer() throws SQLException {
        var trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        var answer = given().contentType(ContentType.JSON)
                .header("Idempotency-Key", key())
                .header("traceparent", trace)
                .body(body("mug", 1))
                .post("/orders");

        assertThat(answer.header("traceresponse")).isEqualTo(trace);
        assertThat(outbox(answer.path("id")))
                .singleElement()
                .satisfies(event -> assertThat(event.traceparent).startsWith(trace.substring(0, 36)));
    }

    @Test
    void a_repeated_request_gets_the_same_answer_and_places_nothing() throws SQLException {
        var key = key();
        var first = place(key, body("mug", 2));
        cancel(first.path("id")).then().statusCode(202);

        var second = place(key, body("mug", 2).replace(",", " , "));

        second.then().statusCode(202);
        assertThat(second.asString()).isEqualTo(first.asString());
        assertThat(second.header("Location")).isEqualTo(first.header("Location"));
        assertThat(ordersOfCustomer()).isEqualTo(1);
    }

    @Test
    void a_key_that_was_used_for_another_order_is_rejected() throws SQLException {
        var key = key();
        place(key, body("mug", 2)).then().statusCode(202);

        assertProblem(place(key, body("mug", 3)).then(), 422).body("detail", notNullValue());
        assertThat(ordersOfCustomer()).isEqualTo(1);
    }

    @Test
    void two_customers_may_choose_the_same_key() {
        var key = key();
        var mine = place(key, body("mug", 1));
        var theirs = place(
                key,
                body("mug", 1).replace(customer.toString(), UUID.randomUUID().toString()));

        assertThat(mine.statusCode()).isEqualTo(202);
        assertThat(theirs.statusCode()).isEqualTo(202);
        assertThat(theirs.<String>path("id")).isNotEqualTo(mine.<String>path("id"));
    }

    @Test
    void fifty_parallel_requests_with_one_key_place_one_order() throws Exception {
        var key = key();
        var body = body("mug", 1);
        try (var threads = Executors.newFixedThreadPool(50)) {
            var answers = new HashSet<String>();
            for (Future<Response> future :
                    threads.invokeAll(Collections.nCopies(50, (Callable<Response>) () -> place(key, body)))) {
                assertThat(future.get().statusCode()).isEqualTo(202);
                answers.add(future.get().asString());
            }
            assertThat(answers).hasSize(1);
        }
        assertThat(ordersOfCustomer()).isEqualTo(1);
    }

    /** While both run, side by side: an order of each, and a repetition that reaches the other. */
    @Test
    void an_instance_of_the_version_before_uses_no_key_twice() throws SQLException {
        place("new-key", body("mug", 1)).then().statusCode(202);
        var oldStatement = """
                INSERT INTO idempotency_key (customer_id, key, request_hash, order_id, used_at)
                SELECT ?, ?, '', ?, now() ON CONFLICT DO NOTHING RETURNING order_id
                """;
        var id = UUID.randomUUID();
        assertThat(sql().strings(oldStatement, customer, "old-key", id)).containsExactly(id.toString());
        assertThatThrownBy(() -> sql().strings(oldStatement, customer, "new-key", id))
                .hasMessageContaining("used before");
        assertProblem(place("old-key", body("mug", 1)).then(), 422);
    }

    @Test
    void an_order_by_card_names_the_card_by_its_id() throws SQLException {
        var answer = place(key(), byCard("\"" + CARD + "\""));

        answer.then().statusCode(202).body("paymentMethod", equalTo("CARD"));
        assertThat(outbox(answer.path("id"))).singleElement().satisfies(event -> {
            assertThat(event.schema).isEqualTo(2);
            assertThat(event.payload).contains("\"paymentMethod\":\"CARD\",\"cardId\":\"" + CARD + "\"");
        });
    }

    @Test
    void another_card_is_another_order() {
        var key = key();
        place(key, byCard("\"" + CARD + "\"")).then().statusCode(202);

        place(key, byCard("\"" + CARD + "\"")).then().statusCode(202);
        place(key, byCard("\"" + UUID.randomUUID() + "\"")).then().statusCode(422);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "\"\"", "\"tok_ok\"", "4242424242424242", "\"4242424242424242\""})
    void an_order_by_card_without_the_id_of_one_is_rejected_by_field_and_nothing_repeated(String card)
            throws SQLException {
        var answer = place(key(), byCard(card));

        assertProblem(answer.then(), 400, "cardId");
        assertThat(answer.asString()).doesNotContain("4242", "tok_");
        assertThat(ordersOfCustomer()).isZero();
    }

    @Test
    void a_card_is_rejected_with_another_method() throws SQLException {
        var fromBalance = byCard("\"" + CARD + "\"").replace("CARD", "BALANCE");

        assertProblem(place(key(), fromBalance).then(), 400, "cardId");
        assertThat(ordersOfCustomer()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"tok_sesame\"", "\"4242424242424242\"", "\"\""})
    void a_token_is_not_accepted_here_and_who_sends_one_learns_where_it_goes(String token) throws SQLException {
        var body = byCard("null").replace("\"cardId\":null", "\"cardToken\":" + token);

        var answer = place(key(), body);

        assertProblem(answer.then(), 400, "cardToken");
        assertThat(answer.asString()).contains("payment-service", "POST /cards").doesNotContain("sesame", "4242");
        assertThat(ordersOfCustomer()).isZero();
        assertThat(sql().number("SELECT count(*) FROM order_key WHERE customer_id = ?", customer))
                .isZero();
    }

    @Test
    void invalid_json_is_named_as_such() {
        assertProblem(place(key(), "{\"customerId\":").then(), 400)
                .body("detail", equalTo("The body is not valid JSON."));
    }

    @Test
    void an_unknown_field_is_named() {
        var unknown = body("mug", 1).replace("{\"customerId", "{\"price\":1,\"customerId");

        assertProblem(place(key(), unknown).then(), 400, "price")
                .body("errors[0].message", equalTo("is not known here"));
    }

    @Test
    void a_product_that_is_not_in_the_catalogue_is_rejected() throws SQLException {
        assertProblem(place(key(), body("unicorn", 1)).then(), 422, "lines[0].sku");
        assertThat(ordersOfCustomer()).isZero();
    }

    @Test
    void an_order_in_two_currencies_is_rejected() throws SQLException {
        var body = body("mug", 1).replace("}]", "},{\"sku\":\"dime\",\"quantity\":1}]");

        assertProblem(place(key(), body).then(), 422);
        assertThat(ordersOfCustomer()).isZero();
    }

    @Test
    void a_pending_order_can_be_cancelled_and_a_repeated_request_gets_the_same_answer() throws SQLException {
        String id = place(key(), body("mug", 1)).path("id");

        var cancelled = cancel(id);

        cancelled.then().statusCode(202).body("status", equalTo("CANCELLED"));
        assertThat(cancelled.header("Location")).endsWith("/orders/" + id + "?version=2");
        var repeated = cancel(id);
        repeated.then().statusCode(202);
        assertThat(repeated.asString()).isEqualTo(cancelled.asString());
        assertThat(repeated.header("Location")).isEqualTo(cancelled.header("Location"));
        assertThat(outbox(id)).extracting(Published::type).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(outbox(id)).extracting(Published::version).containsExactly(1, 2);
        assertThat(audited(id)).containsExactly("cancel");
    }

    /**
     * By card, because the overload outlasts this test: no other test places ten orders by card in a second.
     */
    @Test
    void orders_are_rejected_while_too_many_are_undecided_for_too_long() throws SQLException {
        var key = key();
        var before = place(key, byCard("\"" + CARD + "\""));
        sql().execute("""
                        INSERT INTO orders (id, customer_id, status, lines, total, currency, payment_method, placed_at,
                            version, recorded_at)
                        SELECT gen_random_uuid(), customer_id, status, lines, total, currency, payment_method,
                            placed_at, version, now() - interval '61 s'
                        FROM orders, generate_series(1, 100) WHERE customer_id = ?
                        """, customer);
        try {
            await().until(() -> placeMany().containsKey(503));
            // The probes of this second may have been admitted before.
            var many =
                    await().until(this::placeMany, answers -> answers.keySet().containsAll(Set.of(202, 503)));
            assertProblem(many.get(503).getFirst().then(), 503)
                    .header("Retry-After", "5")
                    .body("detail", containsString("Nothing was changed"));

            assertThat(place(key, byCard("\"" + CARD + "\"")).asString())
                    .as("a repeated request gets its answer")
                    .isEqualTo(before.asString());
            place(key(), body("mug", 1)).then().statusCode(202);
        } finally {
            sql().execute("UPDATE orders SET status = 'CONFIRMED' WHERE customer_id = ?", customer);
            // The next test may place its order in a second whose probes are used up.
            await().until(() -> place(key(), byCard("\"" + CARD + "\"")).statusCode() == 202);
        }
    }

    private Map<Integer, List<Response>> placeMany() {
        return Stream.generate(() -> place(key(), byCard("\"" + CARD + "\"")))
                .limit(40)
                .collect(groupingBy(Response::statusCode));
    }

    @Test
    void an_unknown_order_cannot_be_cancelled() {
        assertProblem(cancel(UUID.randomUUID().toString()).then(), 404);
        assertProblem(cancel("17").then(), 404);
    }

    @ParameterizedTest
    @CsvSource({"CAPTURED, OrderConfirmed", "OUT_OF_STOCK, OrderRejected", "DECLINED, OrderRejected"})
    void what_the_others_report_decides_the_order_once(String reported, String decision) throws SQLException {
        String id = place(key(), body("mug", 1)).path("id");
        var order = UUID.fromString(id);
        var now = Instant.now();
        var price = Money.of(1999, "EUR");

        try (var topic = new OrderTopic()) {
            var record = switch (reported) {
                case "CAPTURED" -> OrderTopic.record("payment-service", 1, new PaymentCaptured(order, price, now));
                case "OUT_OF_STOCK" ->
                    OrderTopic.record("inventory-service", 1, new StockRejected(order, List.of("mug"), now));
                default -> OrderTopic.record("payment-service", 1, new PaymentDeclined(order, "balance too low", now));
            };
            topic.publish(List.of(record, record));
            await().until(() -> topic.isConsumedBy("order-consumer-group"));
        }

        assertThat(outbox(id)).extracting(Published::type).containsExactly("OrderPlaced", decision);
        assertThat(outbox(id)).extracting(Published::version).containsExactly(1, 2);
        cancel(id).then().statusCode(409);
        assertThat(audited(id)).isEmpty();
    }

    /** What staff did to it. */
    private List<String> audited(String order) throws SQLException {
        return sql().strings("SELECT command FROM command_audit WHERE target = ?", "order " + order);
    }

    private record Published(String type, int version, int schema, String payload, String traceparent) {}

    private List<Published> outbox(String order) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT type, version, schema, payload, traceparent FROM outbox WHERE key = ? ORDER BY seq")) {
            select.setString(1, order);
            var published = new ArrayList<Published>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    published.add(new Published(
                            rows.getString(1), rows.getInt(2), rows.getInt(3), rows.getString(4), rows.getString(5)));
                }
            }
            return published;
        }
    }

    private long ordersOfCustomer() throws SQLException {
        return sql().number("SELECT count(*) FROM orders WHERE customer_id = ?", customer);
    }

    private String byCard(String id) {
        return body("mug", 1).replace("\"BALANCE\"", "\"CARD\",\"cardId\":" + id);
    }

    private String body(String sku, int quantity) {
        return "{\"customerId\":\"%s\",\"lines\":[{\"sku\":\"%s\",\"quantity\":%d}],\"paymentMethod\":\"BALANCE\"}"
                .formatted(customer, sku, quantity);
    }

    private static Response place(String key, String body) {
        return given().contentType(ContentType.JSON)
                .header("Idempotency-Key", key)
                .body(body)
                .post("/orders");
    }

    private static Response cancel(String order) {
        return given().post("/orders/{id}/cancel", order);
    }

    private static void offer(String sku, long price, String currency) {
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"A %s\",\"price\":{\"amount\":%d,\"currency\":\"%s\"}}"
                        .formatted(sku, price, currency))
                .put("/products/{sku}", sku)
                .then()
                .statusCode(200);
    }

    private static String key() {
        return UUID.randomUUID().toString();
    }
}
