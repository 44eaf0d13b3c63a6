package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Cancelled at every point of the path: stock and money come back, whatever was under way. */
@ExtendWith(RunningSystem.class)
class CancellationTest {

    private final Shop shop = new Shop(10, 5000);

    @Test
    void before_anybody_has_seen_the_order() throws SQLException {
        String id;
        try (var _ = RunningSystem.pauseRelay("orders")) {
            id = shop.order(3);
            Shop.cancel(id).then().statusCode(202);
        }

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_stock_is_about_to_be_reserved() {
        RunningSystem.freeze("inventory-service");
        String id;
        try {
            id = shop.order(3);
            awaitStatus(id, "PENDING");
            Shop.cancel(id).then().statusCode(202);
        } finally {
            RunningSystem.thaw("inventory-service");
        }

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_reservation_is_on_its_way() throws SQLException {
        String id;
        try (var _ = RunningSystem.pauseRelay("inventory")) {
            id = shop.order(3);
            await().untilAsserted(() ->
                    assertThat(rows("inventory", "outbox WHERE key = '%s'", id)).isEqualTo(1));
            Shop.cancel(id).then().statusCode(202);
            awaitStatus(id, "CANCELLED");
        }

        awaitTimeline(id, "StockReserved");
        assertCancelledAndUndone(id);
        assertThat(Shop.timeline(id)).doesNotContain("PaymentCaptured");
    }

    @Test
    void while_the_payment_is_about_to_be_captured() {
        RunningSystem.freeze("payment-service");
        String id;
        try {
            id = shop.order(3);
            awaitStatus(id, "RESERVED");
            Shop.cancel(id).then().statusCode(202);
            awaitStatus(id, "CANCELLED");
        } finally {
            RunningSystem.thaw("payment-service");
        }

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_captured_payment_is_on_its_way() throws SQLException {
        String id;
        try (var _ = RunningSystem.pauseRelay("payments")) {
            id = shop.order(3);
            await().untilAsserted(() ->
                    assertThat(rows("payments", "outbox WHERE key = '%s'", id)).isEqualTo(1));
            shop.assertSpent(3 * Shop.PRICE);
            Shop.cancel(id).then().statusCode(202);
            awaitStatus(id, "CANCELLED");
        }

        awaitTimeline(id, "PaymentRefunded");
        assertCancelledAndUndone(id);
        assertThat(Shop.timeline(id))
                .containsExactly(
                        "OrderPlaced", "StockReserved", "OrderCancelled", "PaymentCaptured", "PaymentRefunded");
    }

    @Test
    void after_the_order_was_confirmed_it_is_too_late() {
        var id = shop.order(3);
        assertThat(Shop.lookAtTheEnd(id).<String>path("status")).isEqualTo("CONFIRMED");

        Shop.cancel(id).then().statusCode(409);

        await().untilAsserted(() -> shop.assertSold(3));
        shop.assertSpent(3 * Shop.PRICE);
    }

    private void assertCancelledAndUndone(String id) {
        assertThat(Shop.lookAtTheEnd(id).<String>path("status")).isEqualTo("CANCELLED");
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            shop.assertSold(0);
            shop.assertSpent(0);
        });
    }

    private static void awaitStatus(String id, String status) {
        await().atMost(Duration.ofSeconds(20))
                .until(() -> status.equals(Shop.look(id).path("status")));
    }

    private static void awaitTimeline(String id, String event) {
        await().atMost(Duration.ofSeconds(30)).until(() -> Shop.timeline(id).contains(event));
    }

    private static long rows(String database, String where, String id) {
        return RunningSystem.number(database, "SELECT count(*) FROM " + where.formatted(id));
    }
}
