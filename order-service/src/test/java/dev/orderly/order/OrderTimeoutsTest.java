package dev.orderly.order;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.IntegrationTest;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

@QuarkusTest
class OrderTimeoutsTest extends IntegrationTest {

    @Inject
    OrderTimeouts timeouts;

    @Test
    void an_undecided_order_is_cancelled_at_its_deadline() throws SQLException {
        var overdue = place();
        var inTime = place();
        makeOverdue(overdue);

        await().untilAsserted(() -> assertThat(published(overdue)).containsExactly("OrderPlaced", "OrderCancelled"));

        assertThat(sql().strings("SELECT reason FROM orders WHERE id = ?::uuid", overdue))
                .containsExactly("not decided in time");
        assertThat(published(inTime)).containsExactly("OrderPlaced");
        assertProblem(given().post("/orders/{id}/cancel", overdue).then(), 409);
    }

    @Test
    void the_clock_of_the_instance_that_placed_an_order_does_not_make_it_overdue() throws SQLException {
        var order = place();
        sql().execute("UPDATE orders SET placed_at = now() - interval '1 day' WHERE id = ?::uuid", order);

        timeouts.cancelOverdue();

        assertThat(published(order)).containsExactly("OrderPlaced");
    }

    /** As after an outage of this service: what was published while it was away is on the topic. */
    @Test
    void an_overdue_order_is_not_cancelled_before_the_saga_has_read_what_is_on_the_topic() throws Exception {
        var order = place();
        var captured = OrderTopic.record(
                "payment-service",
                1,
                new PaymentCaptured(UUID.fromString(order), Money.of(1999, "EUR"), Instant.now()));
        try (var topic = new OrderTopic();
                var other = database.getConnection();
                var insert = other.prepareStatement("""
                        INSERT INTO inbox (event_day, consumer, event_id)
                        SELECT (uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, 'order-consumer-group', id
                        FROM (SELECT ?::uuid AS id)
                        """)) {
            // As another owner of the partition, whose transaction the saga has to wait for.
            other.setAutoCommit(false);
            insert.setString(
                    1, new String(captured.headers().lastHeader(EventHeaders.ID).value(), UTF_8));
            insert.execute();
            topic.publish(List.of(captured));
            makeOverdue(order);

            for (var sweep = 0; sweep < 3; sweep++) {
                timeouts.cancelOverdue();
            }
            assertThat(published(order)).containsExactly("OrderPlaced");

            other.rollback();
        }
        await().untilAsserted(() -> assertThat(published(order)).containsExactly("OrderPlaced", "OrderConfirmed"));
    }

    @Test
    void a_saga_that_does_not_catch_up_is_waited_for_no_longer_than_half_the_deadline() throws SQLException {
        var now = new Instant[] {Instant.EPOCH};
        InstantSource source = () -> now[0];
        var overdue = OffsetDateTime.parse("2026-11-29T10:00:00Z");
        var cancelled = new ArrayList<OffsetDateTime>();
        var sweeper = new OrderTimeouts(
                new OrderCommands(null, null, null, null, null, null, null) {
                    @Override
                    int cancelUndecidedBefore(OffsetDateTime time, int limit) {
                        cancelled.add(time);
                        return 1;
                    }
                },
                new Orders(null, null, null, null) {
                    @Override
                    Optional<OffsetDateTime> overdueTime(Duration deadline) {
                        return Optional.of(overdue.plusSeconds(now[0].getEpochSecond()));
                    }
                },
                new SagaProgress(null) {
                    @Override
                    Ends ends() {
                        return Ends.UNKNOWN;
                    }
                },
                source.withZone(ZoneOffset.UTC),
                Duration.ofMinutes(2));

        for (var second = 0; second <= 60; second++) {
            assertThat(cancelled).isEmpty();
            now[0] = Instant.ofEpochSecond(second);
            sweeper.cancelOverdue();
        }

        assertThat(cancelled).as("those that were found first").containsExactly(overdue);
    }

    private static String place() {
        OrderRequests.offer("mug", 1999);
        return OrderRequests.post(OrderRequests.ORDER)
                .then()
                .statusCode(202)
                .extract()
                .path("id");
    }

    private void makeOverdue(String order) throws SQLException {
        sql().execute("UPDATE orders SET recorded_at = now() - interval '121 s' WHERE id = ?::uuid", order);
    }

    private List<String> published(String order) throws SQLException {
        return sql().strings("SELECT type FROM outbox WHERE key = ? ORDER BY seq", order);
    }
}
