package dev.orderly.e2e;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;

import java.time.Duration;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RunningSystem.class)
class OutcomesTest {

    @Test
    void an_order_with_stock_and_money_is_confirmed() {
        var shop = new Shop(10, 5000);

        var id = shop.order(3);

        Shop.lookAtTheEnd(id)
                .then()
                .body("status", equalTo("CONFIRMED"))
                .body("timeline.type", contains("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed"))
                .body("total.amount", equalTo(3 * Shop.PRICE));
        shop.assertSpent(3 * Shop.PRICE);
        await().untilAsserted(() -> shop.assertSold(3));
        given().get(RunningSystem.url("payment-service") + "/payments/" + id)
                .then()
                .body("status", equalTo("CAPTURED"));
        assertMailed(id, "CONFIRMED");
    }

    @Test
    void an_order_beyond_the_stock_is_rejected_and_costs_nothing() {
        var shop = new Shop(2, 5000);

        var id = shop.order(3);

        Shop.lookAtTheEnd(id)
                .then()
                .body("status", equalTo("REJECTED"))
                .body("reason", equalTo("out of stock: " + shop.sku))
                .body("timeline.type", contains("OrderPlaced", "StockRejected", "OrderRejected"));
        shop.assertSold(0);
        shop.assertSpent(0);
        assertMailed(id, "REJECTED");
    }

    @Test
    void an_order_beyond_the_balance_is_rejected_and_its_stock_comes_back() {
        var shop = new Shop(10, 2999);

        var id = shop.order(3);

        Shop.lookAtTheEnd(id)
                .then()
                .body("status", equalTo("REJECTED"))
                .body("timeline.type", contains("OrderPlaced", "StockReserved", "PaymentDeclined", "OrderRejected"));
        await().untilAsserted(() -> shop.assertSold(0));
        shop.assertSpent(0);
        assertMailed(id, "REJECTED");
    }

    @Test
    void the_location_of_a_new_order_is_never_not_found() {
        var shop = new Shop(50, 50_000);
        for (var i = 0; i < 20; i++) {
            var accepted = shop.tryToOrder(1, UUID.randomUUID().toString());

            given().get(accepted.header("Location"))
                    .then()
                    .statusCode(200)
                    .body("id", equalTo(accepted.<String>path("id")));
        }
    }

    @Test
    void the_last_items_go_to_as_many_orders_as_there_are_and_to_no_more() {
        var shop = new Shop(5, 100_000);

        var orders = IntStream.range(0, 20).mapToObj(_ -> shop.order(1)).toList();

        var confirmed = orders.stream()
                .map(id -> Shop.lookAtTheEnd(id).<String>path("status"))
                .filter("CONFIRMED"::equals)
                .count();
        assertThat(confirmed).isEqualTo(5);
        await().untilAsserted(() -> shop.assertSold(5));
        shop.assertSpent(5 * Shop.PRICE);
    }

    private static void assertMailed(String order, String kind) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(
                        () -> given().get(RunningSystem.url("notification-service") + "/notifications?orderId=" + order)
                                .then()
                                .body("kind", contains(kind))
                                .body("state", contains("SENT")));
    }
}
