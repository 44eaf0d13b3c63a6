package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Cancelled at every point of the path: stock and money come back, whatever was in flight. */
@EndToEnd
class CancellationTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(30);

    private final Shop shop;

    CancellationTest() throws InterruptedException {
        shop = RunningSystem.shop(10, 5000);
    }

    @Test
    void before_anybody_has_seen_the_order() throws Exception {
        String id;
        try (var _ = new Relay("orders").pause()) {
            id = shop.order(3);
            cancel(id);
        }

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_stock_is_about_to_be_reserved() throws Exception {
        var id = whileStopped("inventory-service", () -> {
            var order = shop.order(3);
            shop.awaitStatus(order, MAX_WAIT, "PENDING");
            cancel(order);
            return order;
        });

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_reservation_is_on_its_way() throws Exception {
        String id;
        try (var _ = new Relay("inventory").pause()) {
            id = shop.order(3);
            awaitOutbox("inventory", id);
            cancel(id);
            shop.awaitStatus(id, MAX_WAIT, "CANCELLED");
        }

        awaitTimeline(id, "StockReserved");
        assertCancelledAndUndone(id);
        assertThat(shop.timeline(id)).doesNotContain("PaymentCaptured");
    }

    @Test
    void while_the_payment_is_about_to_be_captured() throws Exception {
        var id = whileStopped("payment-service", () -> {
            var order = shop.order(3);
            shop.awaitStatus(order, MAX_WAIT, "RESERVED");
            cancel(order);
            shop.awaitStatus(order, MAX_WAIT, "CANCELLED");
            return order;
        });

        assertCancelledAndUndone(id);
    }

    @Test
    void while_the_captured_payment_is_on_its_way() throws Exception {
        String id;
        try (var _ = new Relay("payments").pause()) {
            id = shop.order(3);
            awaitOutbox("payments", id);
            shop.assertSpent(3 * Shop.PRICE);
            cancel(id);
            shop.awaitStatus(id, MAX_WAIT, "CANCELLED");
        }

        awaitTimeline(id, "PaymentRefunded");
        assertCancelledAndUndone(id);
        assertThat(shop.timeline(id))
                .containsExactly(
                        "OrderPlaced", "StockReserved", "OrderCancelled", "PaymentCaptured", "PaymentRefunded");
    }

    @Test
    void after_the_order_was_confirmed_it_is_too_late() throws Exception {
        var id = shop.order(3);
        assertThat(shop.awaitEnd(id).path("status").asText()).isEqualTo("CONFIRMED");

        assertThat(shop.cancel(id)).isEqualTo(409);

        shop.assertSold(3);
        shop.assertSpent(3 * Shop.PRICE);
    }

    private void cancel(String id) throws InterruptedException {
        assertThat(shop.cancel(id)).isEqualTo(202);
    }

    /** The service keeps its connections, and answers nothing. */
    private static String whileStopped(String service, Callable<String> action) throws Exception {
        RunningSystem.platform().signal("STOP", service);
        try {
            return action.call();
        } finally {
            RunningSystem.platform().signal("CONT", service);
        }
    }

    private void assertCancelledAndUndone(String id) throws InterruptedException {
        assertThat(shop.awaitEnd(id).path("status").asText()).isEqualTo("CANCELLED");
        shop.assertSold(0);
        shop.assertSpent(0);
    }

    private void awaitTimeline(String id, String event) {
        await().atMost(MAX_WAIT).until(() -> shop.timeline(id).contains(event));
    }

    private static void awaitOutbox(String database, String id) {
        var sql = "SELECT count(*) FROM outbox WHERE key = '" + id + "'";
        await().atMost(MAX_WAIT).until(() -> RunningSystem.platform().number(database, sql) == 1);
    }
}
