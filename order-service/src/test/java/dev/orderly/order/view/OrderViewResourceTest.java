package dev.orderly.order.view;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.IntegrationTest;
import dev.orderly.database.UuidV7;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.EventHandler;
import dev.orderly.testing.EventFuzz;
import dev.orderly.testing.EventSamples;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.Tokens;
import io.quarkus.arc.All;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class OrderViewResourceTest extends IntegrationTest {

    @Inject
    @All
    List<EventHandler<?>> handlers;

    private static final Money PRICE = Money.of(1999, "EUR");
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    @TestHTTPResource
    URI service;

    private final OrderTopic topic = new OrderTopic();
    private final UUID customer = UUID.randomUUID();

    @AfterEach
    void close() {
        topic.close();
    }

    @Test
    void no_number_and_no_text_in_an_event_stops_a_handler() throws SQLException {
        EventFuzz.assertThatNoEventStops(handlers, sql());
    }

    @Test
    void an_order_is_shown_with_all_that_happened_to_it() {
        var id = placed();
        reserved(id);
        captured(id);
        confirmed(id);

        get(id, "?wait=10")
                .then()
                .statusCode(200)
                .body("status", equalTo("CONFIRMED"))
                .body("reason", nullValue())
                .body("total.amount", equalTo(1999))
                .body("lines[0].sku", equalTo("mug"))
                .body("timeline.type", contains("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed"))
                .body("timeline.status", contains("PENDING", "RESERVED", "PAID", "CONFIRMED"))
                .body(
                        "timeline.source",
                        contains("order-service", "inventory-service", "payment-service", "order-service"))
                .body("timeline.position", contains(1, 2, 3, 4))
                .body("timeline[0].occurredAt", equalTo(NOW.toString()));
        List<Integer> partitions = get(id, "").path("timeline.partition");
        assertThat(partitions).containsOnly(partitions.getFirst());
        List<Integer> offsets = get(id, "").path("timeline.offset");
        assertThat(offsets).isSorted();
    }

    @Test
    void a_refund_shows_but_the_order_stays_cancelled() {
        var id = placed();
        topic.publish("order-service", 2, new OrderCancelled(id, customer, "changed my mind", NOW));
        captured(id);
        topic.publish("payment-service", 2, new PaymentRefunded(id, PRICE, NOW));

        await().untilAsserted(() -> get(id, "").then().body("timeline", hasSize(4)));
        get(id, "").then().body("status", equalTo("CANCELLED")).body("reason", equalTo("changed my mind"));
    }

    @Test
    void a_read_with_a_version_waits_until_the_projection_has_it() throws Exception {
        var id = UUID.randomUUID();

        var read = CompletableFuture.supplyAsync(() -> get(id, "?version=1"), Thread::startVirtualThread);
        placed(id);

        read.get(20, TimeUnit.SECONDS).then().statusCode(200).body("status", equalTo("PENDING"));
    }

    @Test
    void a_read_that_waits_for_the_end_is_answered_when_it_comes_and_when_the_time_is_up() throws Exception {
        var id = placed();
        get(id, "?version=1&wait=1").then().statusCode(200).body("status", equalTo("PENDING"));

        var read = CompletableFuture.supplyAsync(() -> get(id, "?wait=30"), Thread::startVirtualThread);
        confirmed(id);

        read.get(20, TimeUnit.SECONDS).then().statusCode(200).body("status", equalTo("CONFIRMED"));
    }

    @Test
    void an_unknown_order_is_not_found() {
        assertProblem(get(UUID.randomUUID(), "").then(), 404);
    }

    @Test
    void a_read_of_a_version_that_is_not_projected_in_time_may_be_retried() {
        assertProblem(get(placed(), "?version=2").then(), 503).header("Retry-After", "1");
    }

    @Test
    void orders_are_paged_from_the_newest_to_the_oldest() {
        var ids = new ArrayList<String>();
        for (var i = 0; i < 5; i++) {
            ids.addFirst(placed(UuidV7.next()).toString());
        }
        ids.sort((a, b) -> b.compareTo(a));
        await().untilAsserted(() ->
                given().get("/orders?customerId=" + customer).then().body("orders", hasSize(5)));

        var seen = new ArrayList<String>();
        var next = "/orders?customerId=" + customer + "&status=PENDING&limit=2";
        var pages = 0;
        while (next != null) {
            var page = given().get(next).then().statusCode(200).extract();
            seen.addAll(page.<List<String>>path("orders.id"));
            next = page.path("next");
            pages++;
        }

        assertThat(seen).isEqualTo(ids);
        assertThat(pages).isEqualTo(3);
        given().get("/orders?customerId=" + customer + "&status=CONFIRMED")
                .then()
                .body("orders", hasSize(0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "limit=0",
                "limit=101",
                "limit=x",
                "customerId=17",
                "status=LOST",
                "after=17",
                "customerId=';drop table orders"
            })
    void an_invalid_query_is_rejected(String query) {
        var answer = given().get("/orders?" + query.replace(" ", "%20"));

        assertThat(answer.statusCode()).isIn(400, 404); // 404 is what JAX-RS answers to an invalid number
        assertProblem(answer.then(), answer.statusCode());
    }

    @ParameterizedTest
    @ValueSource(strings = {"wait=-1", "wait=61", "version=-1"})
    void an_invalid_wait_is_rejected(String query) {
        assertProblem(get(UUID.randomUUID(), "?" + query).then(), 400);
    }

    @Test
    void the_timeline_is_streamed_as_it_grows_and_from_where_the_reader_left_off() throws Exception {
        var id = placed();
        reserved(id);
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(service.resolve("/orders/" + id + "/events"))
                    .header("Last-Event-ID", "1")
                    .header("Authorization", "Bearer " + Tokens.of(customer.toString(), Tokens.CUSTOMER))
                    .build();
            var response = client.send(request, BodyHandlers.ofInputStream());
            try (var lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                assertThat(nextEvent(lines))
                        .contains("id:2", "event:StockReserved")
                        .anyMatch(line -> line.startsWith("data:") && line.contains("\"status\":\"RESERVED\""));

                captured(id);

                assertThat(nextEvent(lines)).contains("id:3", "event:PaymentCaptured");
            }
        }
    }

    @Test
    void a_stream_without_news_shows_that_it_is_alive() throws Exception {
        var id = placed();
        get(id, "?version=1").then().statusCode(200);
        try (var client = HttpClient.newHttpClient()) {
            var request = HttpRequest.newBuilder(service.resolve("/orders/" + id + "/events"))
                    .header("Last-Event-ID", "1")
                    .header("Authorization", "Bearer " + Tokens.of(customer.toString(), Tokens.CUSTOMER))
                    .build();
            var response = client.send(request, BodyHandlers.ofInputStream());
            try (var lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                assertThat(lines.readLine()).startsWith(":");
            }
        }
    }

    @Test
    void an_unknown_order_is_not_found_long_before_the_end_of_the_wait() throws Exception {
        var order = UUID.randomUUID();

        var stream = CompletableFuture.supplyAsync(
                () -> given().get("/orders/" + order + "/events"), Thread::startVirtualThread);

        assertProblem(get(order, "?wait=60").then(), 404).time(lessThan(40L), TimeUnit.SECONDS);
        assertProblem(stream.get(40, TimeUnit.SECONDS).then(), 404);
    }

    private static List<String> nextEvent(BufferedReader lines) throws Exception {
        var event = new ArrayList<String>();
        for (var line = lines.readLine(); line != null && !(line.isEmpty() && !event.isEmpty()); ) {
            if (!line.isEmpty() && !line.startsWith(":")) { // a comment
                event.add(line.replace(": ", ":"));
            }
            line = lines.readLine();
        }
        return event;
    }

    private static Response get(UUID order, String query) {
        return given().get("/orders/" + order + query);
    }

    private UUID placed() {
        return placed(UUID.randomUUID());
    }

    private UUID placed(UUID id) {
        topic.publish("order-service", 1, EventSamples.placed(id, customer, PRICE));
        return id;
    }

    private void reserved(UUID id) {
        topic.publish(
                "inventory-service", 1, new StockReserved(id, customer, PRICE, PaymentMethod.BALANCE, null, null, NOW));
    }

    private void captured(UUID id) {
        topic.publish("payment-service", 1, new PaymentCaptured(id, PRICE, NOW));
    }

    private void confirmed(UUID id) {
        topic.publish("order-service", 2, new OrderConfirmed(id, customer, PRICE, NOW));
    }
}
