package dev.orderly.inventory;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.lessThanOrEqualTo;
import static org.hamcrest.Matchers.notNullValue;

import dev.orderly.messaging.EventHandler;
import dev.orderly.testing.EventFuzz;
import dev.orderly.testing.HostileRequests;
import dev.orderly.testing.Tokens;
import io.quarkus.arc.All;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class StockResourceTest extends IntegrationTest {

    @TestHTTPResource(value = "/health", management = true)
    URI health;

    @TestHTTPResource(value = "/metrics", management = true)
    URI metrics;

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @TestHTTPResource("/")
    URI service;

    @Inject
    @All
    List<EventHandler<?>> handlers;

    @Test
    void no_number_and_no_text_in_an_event_stops_a_handler() throws SQLException {
        EventFuzz.assertThatNoEventStops(handlers, sql());
    }

    @Test
    void a_sku_exists_from_its_first_restocking_on() {
        var sku = randomSku();

        restock(sku, 17)
                .statusCode(200)
                .contentType(JSON)
                .body("sku", equalTo(sku))
                .body("available", equalTo(17))
                .body("reserved", equalTo(0))
                .body("sold", equalTo(0))
                .body("size()", equalTo(4));
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 17, 0, 0));
    }

    @Test
    void restocking_sets_what_is_available_and_leaves_the_rest() {
        var sku = skuWith(10);
        var sold = UUID.randomUUID();
        publish(placed(sold, line(sku, 1)), placed(UUID.randomUUID(), line(sku, 2)), confirmed(sold));

        restock(sku, 1_000_000_000).statusCode(200).body("available", equalTo(1_000_000_000));
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 1_000_000_000, 2, 1));
        restock(sku, 0).statusCode(200);
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 0, 2, 1));
    }

    @Test
    void a_count_repeated_with_its_key_changes_nothing_whatever_was_sold_since() {
        var sku = randomSku();
        var first = restock(sku, 10, Map.of("Idempotency-Key", "delivery-17"));
        first.statusCode(200);
        var order = UUID.randomUUID();
        publish(placed(order, line(sku, 10)), confirmed(order));

        var repeated = restock(sku, 10, Map.of("Idempotency-Key", "delivery-17"));

        assertThat(repeated.statusCode(200).extract().asString())
                .isEqualTo(first.extract().asString());
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 0, 0, 10));
        assertProblem(restock(sku, 11, Map.of("Idempotency-Key", "delivery-17")), 422);
        assertProblem(deliver(sku, "delivery-17", 10), 422);
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 0, 0, 10));
        restock(sku, 7, Map.of("Idempotency-Key", "delivery-18")).statusCode(200);
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 7, 0, 10));
    }

    @Test
    void a_delivery_adds_to_what_is_available_once_per_key() throws Exception {
        var sku = randomSku();
        try (var threads = Executors.newFixedThreadPool(10)) {
            var tasks = IntStream.range(0, 30)
                    .mapToObj(number -> (Callable<Integer>) () ->
                            deliver(sku, "delivery-" + number % 10, 5).extract().statusCode())
                    .toList();
            for (var status : threads.invokeAll(tasks)) {
                assertThat(status.get()).isEqualTo(201);
            }
        }

        assertThat(stock(sku)).isEqualTo(new Stock(sku, 50, 0, 0));
        var repeated = deliver(sku, "delivery-3", 5);
        repeated.body("sku", equalTo(sku)).body("available", lessThanOrEqualTo(50));
        assertProblem(deliver(sku, "delivery-3", 6), 422);
        assertProblem(deliver(sku, "too-many", 1_000_000_000), 422);
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 50, 0, 0));
    }

    @Test
    void a_change_is_in_the_audit_once_however_often_it_is_asked_for() throws SQLException {
        var sku = randomSku();
        var key = Map.of("Idempotency-Key", "count-1");
        for (var repetition = 0; repetition < 2; repetition++) {
            restock(sku, 7, key).statusCode(200);
            deliver(sku, "delivery-1", 5).statusCode(201);
        }
        deliver(sku, "delivery-1", 6).statusCode(422);

        assertThat(sql().strings("SELECT command FROM command_audit WHERE target = ?", sku))
                .containsExactlyInAnyOrder("COUNT 7", "DELIVERY 5");
    }

    @Test
    void a_delivery_needs_a_key_and_a_quantity() {
        var sku = randomSku();

        assertProblem(deliver(sku, "", 1), 400)
                .body("errors[0].message", equalTo("the header Idempotency-Key is required"));
        assertProblem(deliver(sku, "delivery-17", 0), 400, "quantity");
        given().get("/stock/{sku}", sku).then().statusCode(404);
    }

    @Test
    void a_restocking_on_condition_is_refused_when_the_stock_has_changed() {
        var sku = randomSku();
        assertProblem(restock(sku, 1, Map.of("If-Match", "*")), 412);
        given().get("/stock/{sku}", sku).then().statusCode(404);
        restock(sku, 10, Map.of("If-None-Match", "*")).statusCode(200);
        assertProblem(restock(sku, 11, Map.of("If-None-Match", "*")), 412);
        var tag = given().get("/stock/{sku}", sku).header("ETag");
        publish(placed(UUID.randomUUID(), line(sku, 1)));

        for (var stale : List.of(tag, "\"another\"", "another", "W/" + tag)) {
            assertProblem(restock(sku, 20, Map.of("If-Match", stale)), 412);
        }
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 9, 1, 0));
        var current = given().get("/stock/{sku}", sku).header("ETag");
        var keyed = Map.of("If-Match", "\"another\", " + current, "Idempotency-Key", "count-1");
        restock(sku, 20, keyed).statusCode(200);
        restock(sku, 20, keyed).statusCode(200).header("ETag", "\"20-1-0\"");
        assertThat(stock(sku)).isEqualTo(new Stock(sku, 20, 1, 0));
    }

    private static ValidatableResponse restock(String sku, long available, Map<String, String> headers) {
        return given().contentType(JSON)
                .headers(headers)
                .body("{\"available\":" + available + "}")
                .put("/stock/{sku}", sku)
                .then();
    }

    /** @param key not sent when it is empty */
    private static ValidatableResponse deliver(String sku, String key, long quantity) {
        var request = given().contentType(JSON).body("{\"quantity\":" + quantity + "}");
        return (key.isEmpty() ? request : request.header("Idempotency-Key", key))
                .post("/stock/{sku}/deliveries", sku)
                .then();
    }

    @Test
    void all_skus_are_listed_in_order_and_by_the_page() {
        // A unique prefix, since other tests restock, too.
        var prefix = "page-" + UUID.randomUUID();
        for (var end : new String[] {"-c", "-a", "-b"}) {
            restock(prefix + end, 1).statusCode(200);
        }

        given().get("/stock").then().statusCode(200).body("sku", hasItem(prefix + "-a"));
        given().get("/stock?after=" + prefix + "&limit=2")
                .then()
                .statusCode(200)
                .body("size()", equalTo(2))
                .body("[0].sku", equalTo(prefix + "-a"))
                .body("[1].sku", equalTo(prefix + "-b"))
                .body("[1].available", equalTo(1));
        given().get("/stock?after=" + prefix + "-b&limit=1")
                .then()
                .statusCode(200)
                .body("[0].sku", equalTo(prefix + "-c"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"limit=0", "limit=-1", "limit=1001", "after=%00", "after=A", "after='%3Bdrop"})
    void invalid_parameters_of_a_page_are_rejected(String query) {
        var response = given().urlEncodingEnabled(false).get("/stock?" + query).then();

        assertProblem(response, 400, query.substring(0, query.indexOf('=')));
    }

    @Test
    void an_unknown_sku_is_not_found() {
        assertProblem(given().get("/stock/{sku}", randomSku()).then(), 404)
                .body("title", equalTo("Not Found"))
                .body("detail", notNullValue());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "17",
                "\"x\"",
                "{",
                "{}",
                "{\"available\":null}",
                "{\"available\":-1}",
                "{\"available\":1000000001}",
                "{\"available\":9223372036854775808}",
                "{\"available\":1.5}",
                "{\"available\":1e400}",
                "{\"available\":NaN}",
                "{\"available\":\"1\"}",
                "{\"available\":true}",
                "{\"available\":[1]}",
                "{\"available\":1,\"available\":2}",
                "{\"available\":1,\"sold\":0}",
                "{\"available\":1}{}",
            })
    void an_invalid_quantity_is_rejected(String body) {
        var sku = randomSku();

        assertProblem(restock(sku, body), 400);
        given().get("/stock/{sku}", sku).then().statusCode(404);
    }

    @Test
    void a_number_of_ten_thousand_digits_is_rejected() {
        assertProblem(restock(randomSku(), "{\"available\":" + "9".repeat(10_000) + "}"), 400);
    }

    @Test
    void a_problem_names_the_field() {
        assertProblem(restock(randomSku(), -1), 400, "available");
    }

    @Test
    void a_body_that_is_not_json_is_rejected() {
        given().contentType(ContentType.XML)
                .body("<available>1</available>")
                .put("/stock/{sku}", randomSku())
                .then()
                .statusCode(415);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "MUG",
                "-mug",
                "m%C3%BCg",
                "mug%00",
                "mug%0A",
                "mug%20",
                "..%2Fmug",
                "'%3Bdrop%20table%20stock%3B--",
                "%E2%80%AEmug",
                "12345678901234567890123456789012345678901234567890123456789012345",
            })
    void an_invalid_sku_is_rejected_before_the_database_is_queried(String sku) {
        var put = given().urlEncodingEnabled(false)
                .contentType(JSON)
                .body("{\"available\":1}")
                .put("/stock/" + sku);
        var get = given().urlEncodingEnabled(false).get("/stock/" + sku);

        for (var response : new Response[] {put, get}) {
            assertProblem(response.then(), 400, "sku");
        }
    }

    @Test
    void the_database_rejects_negative_quantities_and_deletions() {
        var sku = skuWith(1);

        for (var column : new String[] {"available", "reserved", "sold"}) {
            assertThatThrownBy(() -> sql().execute("UPDATE stock SET " + column + " = -1 WHERE sku = ?", sku))
                    .hasMessageContaining("stock_" + column + "_check");
        }
        assertThatThrownBy(() -> sql().execute("DELETE FROM stock")).hasMessageContaining("permission denied");
        assertThatThrownBy(() -> sql().execute("DELETE FROM reservation")).hasMessageContaining("permission denied");
    }

    @Test
    void the_service_is_healthy() {
        given().get(health).then().statusCode(200).body("status", equalTo("UP"));
    }

    @Test
    void who_hangs_up_leaves_his_place_at_the_database_to_others() throws IOException {
        var request = ("GET /stock HTTP/1.1\r\nHost: x\r\n" + Tokens.headerOfAllRoles("carl") + "\r\n")
                .getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 50; i++) {
            try (var socket = new Socket(service.getHost(), service.getPort())) {
                socket.getOutputStream().write(request);
            }
        }

        await().untilAsserted(() -> assertThat(given().get(metrics).asString())
                .containsPattern("(?m)^orderly_http_database_permits\\S* 8\\.0$"));
        given().get("/stock").then().statusCode(200);
    }

    @Test
    void an_answer_cannot_be_asked_for_in_what_is_no_media_type() {
        var answer = given().header("Accept", "bytes=5-1,-").get("/stock/" + randomSku());

        assertProblem(answer.then(), 400);
    }

    @Test
    void no_request_makes_the_service_fail_or_does_half_of_what_it_asked_for() throws SQLException {
        HostileRequests.assertAllAreHandled(service, openApi, sql());
    }
}
