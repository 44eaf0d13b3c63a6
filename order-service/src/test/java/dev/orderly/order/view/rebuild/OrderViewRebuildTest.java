package dev.orderly.order.view.rebuild;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import dev.orderly.IntegrationTest;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import dev.orderly.events.Topic;
import dev.orderly.testing.EventSamples;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
class OrderViewRebuildTest extends IntegrationTest {

    private static final Money PRICE = Money.of(1999, "EUR");
    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    @TestHTTPResource(value = "/metrics", management = true)
    URI metrics;

    private final OrderTopic topic = new OrderTopic();
    private final UUID customer = UUID.randomUUID();

    @AfterEach
    void close() {
        topic.close();
    }

    @Test
    void a_corrupted_view_is_right_after_a_rebuild_and_goes_on_from_there() throws Exception {
        var id = placed();
        reserved(id);
        awaitTimeline(id, 2);
        // Without this the rebuild would copy the timeline, which has what the projection has not committed.
        await().until(() -> topic.isConsumedBy("order-view-consumer-group"));
        sql().execute("UPDATE order_view SET status = 'CONFIRMED', customer_id = order_id WHERE order_id = ?", id);
        sql().execute("DELETE FROM order_view_event WHERE position = 2 AND order_id = ?", id);

        rebuild();

        show(id).then()
                .body("status", equalTo("RESERVED"))
                .body("customerId", equalTo(customer.toString()))
                .body("timeline.type", contains("OrderPlaced", "StockReserved"));
        captured(id);
        confirmed(id);
        awaitTimeline(id, 4);
        show(id).then().body("status", equalTo("CONFIRMED")).body("timeline.position", contains(1, 2, 3, 4));
    }

    @Test
    void what_happens_during_a_rebuild_is_in_the_new_view_once() throws Exception {
        var ids = new ArrayList<UUID>();
        var rebuilt = new AtomicBoolean();
        var customers = Thread.ofPlatform().start(() -> {
            while (!rebuilt.get()) {
                var id = placed();
                reserved(id);
                captured(id);
                confirmed(id);
                ids.add(id);
            }
        });
        await().until(() -> ids.size() > 20);

        rebuild();
        rebuild();

        rebuilt.set(true);
        customers.join();
        for (var id : ids) {
            awaitTimeline(id, 4);
            show(id).then().body("status", equalTo("CONFIRMED")).body("timeline.position", contains(1, 2, 3, 4));
        }
    }

    @Test
    void an_order_with_a_parked_event_keeps_the_row_that_its_retry_will_find() throws Exception {
        var id = placed();
        topic.publish("payment-service", 2, new PaymentCaptured(id, PRICE, NOW)); // 1 is missing
        await().until(() -> parked(id) == 1);

        rebuild();

        show(id).then().body("status", equalTo("PENDING")).body("timeline", hasSize(1));
        captured(id);
        awaitTimeline(id, 3); // behind the one that was missing comes the one that was parked
    }

    @Test
    void an_order_whose_first_events_have_expired_is_copied_as_it_is() throws Exception {
        var old = placed();
        reserved(old);
        awaitTimeline(old, 2);
        topic.deleteRecords();
        var young = placed();
        captured(old);
        awaitTimeline(old, 3);
        awaitTimeline(young, 1);

        assertThat(rebuild()).isPositive();

        show(old).then().body("status", equalTo("PAID")).body("timeline", hasSize(3));
        show(young).then().body("status", equalTo("PENDING"));
        confirmed(old);
        awaitTimeline(old, 4);
    }

    /** One has its place beyond the end of the new topic, one where the new topic has another record. */
    @Test
    void orders_of_a_topic_that_was_made_again_are_taken_over() throws Exception {
        awaitTimeline(placed(), 1);
        await().until(() -> topic.isConsumedBy("order-view-consumer-group"));
        var beyond = ofAnEarlierTopic(1_000_000_000);
        var before = ofAnEarlierTopic(0);

        assertThat(rebuild()).isGreaterThanOrEqualTo(2);

        for (var id : List.of(beyond, before)) {
            show(id).then().body("status", equalTo("PENDING")).body("timeline", hasSize(1));
        }
    }

    @Test
    void what_is_unreadable_becomes_no_second_dead_letter() throws Exception {
        var id = placed();
        topic.publish(List.of(OrderTopic.header(
                OrderTopic.record("payment-service", 1, new PaymentCaptured(id, PRICE, NOW)),
                EventHeaders.VERSION,
                "none")));
        await().until(() -> parked(id) == 1);
        var before = deadLetters(id);

        rebuild();

        assertThat(before).isPositive();
        assertThat(deadLetters(id)).isEqualTo(before);
    }

    /** A group that nobody is in has committed nothing, as a projection that has stood still for long. */
    @Test
    void a_view_is_not_rebuilt_while_the_projection_is_far_behind() {
        var ignored = OrderTopic.header(
                OrderTopic.record("order-service", 1, new OrderConfirmed(UUID.randomUUID(), customer, PRICE, NOW)),
                EventHeaders.TYPE,
                "Unknown");
        topic.publish(Collections.nCopies(20_001, ignored));

        try (var reader = new TopicReader(OrderTopic.cluster(), Topic.ORDERS.topicName(), "nobody")) {
            var rebuild = new RebuildRun(null, reader, null, "nobody", (events, of) -> {});

            assertThatThrownBy(rebuild::run).hasMessageContaining("behind the topic");
        }
    }

    @Test
    void a_rebuild_leaves_no_trace_beside_the_view() throws Exception {
        awaitTimeline(placed(), 1);
        rebuild();
        rebuild();

        for (var table : List.of("inbox", "last_version", "parked_event")) {
            assertThat(sql().number("SELECT count(*) FROM " + table + " WHERE consumer LIKE 'order-view-rebuild%'"))
                    .as(table)
                    .isZero();
        }
        assertThat(sql().strings("""
                        SELECT DISTINCT tablename || ' ' || indexname FROM pg_indexes
                        WHERE tablename LIKE 'order_view%' AND indexname NOT LIKE tablename || '\\_%'
                        """)).isEmpty();
        assertThat(sql().strings("SELECT indexname FROM pg_indexes WHERE tablename = 'order_view'"))
                .containsExactlyInAnyOrder("order_view_pkey", "order_view_by_customer", "order_view_by_status");
    }

    private UUID ofAnEarlierTopic(long offset) throws SQLException {
        var id = UUID.randomUUID();
        sql().execute("""
                INSERT INTO order_view (order_id, customer_id, status, lines, total, currency, payment_method,
                                        placed_at, version, events)
                VALUES (?, ?, 'PENDING', '[]', 1999, 'EUR', 'BALANCE', now(), 1, 1)
                """, id, customer);
        sql().execute("""
                INSERT INTO order_view_event VALUES (?, 1, 'OrderPlaced', 'PENDING', 'order-service', 1, now(), 0, ?)
                """, id, offset);
        return id;
    }

    @Test
    void the_lag_of_the_projection_is_a_metric() {
        awaitTimeline(placed(), 1);

        await().untilAsserted(() -> assertThat(given().get(metrics).asString())
                .containsPattern("orderly_projection_lag_seconds\\S* 0\\.0"));
    }

    /** Returns the number of orders that were copied from the old view. */
    private static int rebuild() {
        given().post("/order-view/rebuild").then().statusCode(202).body("state", equalTo("RUNNING"));
        await().atMost(Duration.ofSeconds(30))
                .until(() -> given().get("/order-view/rebuild").path("state"), state -> !state.equals("RUNNING"));
        return given().get("/order-view/rebuild")
                .then()
                .body("problem", equalTo(null))
                .body("state", equalTo("DONE"))
                .extract()
                .path("kept");
    }

    private static Response show(UUID order) {
        return given().get("/orders/" + order);
    }

    private static void awaitTimeline(UUID order, int events) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> show(order).then().body("timeline", hasSize(events)));
    }

    private long parked(UUID order) throws SQLException {
        return sql().number(
                        "SELECT count(*) FROM parked_event WHERE consumer = 'order-view-consumer-group' AND key = ?",
                        order.toString());
    }

    /** Those of the order that the view's consumer group has given up. */
    private long deadLetters(UUID order) throws SQLException {
        return sql().number(
                        "SELECT count(*) FROM outbox WHERE topic = 'order-service.dlq' AND key = ? AND consumer LIKE"
                                + " 'order-view%'",
                        order.toString());
    }

    private UUID placed() {
        var id = UUID.randomUUID();
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
