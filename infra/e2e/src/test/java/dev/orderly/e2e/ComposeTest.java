package dev.orderly.e2e;

import static io.restassured.RestAssured.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The images and {@code docker-compose.yml}: every outcome of an order, and what survives when containers die. */
@ExtendWith(ComposedSystem.class)
class ComposeTest {

    private static final int ORDERS = 20;
    private static final int STOCK = 15;

    @BeforeAll
    static void shopsAreInContainers() {
        Shop.urls = ComposedSystem::url;
    }

    @ParameterizedTest
    @CsvSource({
        "10, 5000, CONFIRMED, OrderPlaced StockReserved PaymentCaptured OrderConfirmed",
        "2, 5000, REJECTED, OrderPlaced StockRejected OrderRejected",
        "10, 2999, REJECTED, OrderPlaced StockReserved PaymentDeclined OrderRejected"
    })
    void an_order_of_three_ends_as_stock_and_money_allow(int stock, int money, String end, String events) {
        var shop = new Shop(stock, money);

        var id = shop.order(3);

        var order = Shop.lookAtTheEnd(id);
        assertThat(order.<String>path("status")).isEqualTo(end);
        assertThat(order.<List<String>>path("timeline.type")).containsExactly(events.split(" "));
        var sold = end.equals("CONFIRMED") ? 3 : 0;
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> shop.assertSold(sold));
        shop.assertSpent(sold * Shop.PRICE);
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(
                                get(ComposedSystem.url("notification-service") + "/notifications?orderId=" + id)
                                        .<List<String>>path("state"))
                        .containsExactly("SENT"));
    }

    @Test
    void an_order_that_is_cancelled_leaves_nothing_behind() {
        var shop = new Shop(10, 5000);
        String id;
        do { // an order may be confirmed before the customer is heard
            id = shop.order(1);
        } while (Shop.cancel(id).statusCode() == 409);

        assertThat(Shop.lookAtTheEnd(id).<String>path("status")).isEqualTo("CANCELLED");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kafka-2", "payment-service", "connect"})
    void orders_placed_while_a_container_is_killed_all_end_well(String victim) {
        var shop = new Shop(STOCK, 100_000);

        var orders = place(shop, ORDERS / 2);
        ComposedSystem.kill(victim);
        orders.addAll(place(shop, ORDERS / 2));
        ComposedSystem.start(victim);

        assertAllEndWell(shop, orders);
    }

    @Test
    void orders_placed_while_a_service_is_cut_off_all_end_well() {
        var shop = new Shop(STOCK, 100_000);

        var orders = place(shop, ORDERS / 2);
        ComposedSystem.cutOff("inventory-service");
        orders.addAll(place(shop, ORDERS / 2));
        ComposedSystem.connect("inventory-service");

        assertAllEndWell(shop, orders);
    }

    @Test
    void a_service_that_starts_without_its_database_lives_and_waits_and_goes_on() {
        var payments = ComposedSystem.url("payment-service");
        ComposedSystem.kill("postgres");
        ComposedSystem.kill("payment-service");
        ComposedSystem.start("payment-service");

        await().atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(get(payments + "/q/health/live").statusCode())
                        .isEqualTo(200));
        var ready = get(payments + "/q/health/ready");
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(ready.<String>path("checks.find { it.name == 'Database migration' }.status"))
                .isEqualTo("DOWN");
        assertThat(get(payments + "/accounts/" + UUID.randomUUID()).statusCode())
                .isEqualTo(503);

        ComposedSystem.start("postgres");
        ComposedSystem.awaitReady(); // all of them: the others were without it as well
    }

    @ParameterizedTest
    @ValueSource(strings = {"order-service", "inventory-service", "payment-service", "notification-service"})
    void a_service_runs_as_nobody_and_can_write_nowhere_but_to_tmp(String service) {
        var container = ComposedSystem.docker()
                .inspectContainerCmd(ComposedSystem.container(service).getId())
                .exec();

        assertThat(container.getConfig().getUser()).isEqualTo("10001:10001");
        assertThat(container.getHostConfig().getReadonlyRootfs()).isTrue();
        assertThat(container.getHostConfig().getCapDrop()).hasSize(1);
        var image =
                ComposedSystem.docker().inspectImageCmd(container.getImageId()).exec();
        assertThat(image.getConfig().getEnv())
                .as("an image holds no secret")
                .noneMatch(variable -> variable.contains("PASSWORD"));
    }

    private static List<String> place(Shop shop, int count) {
        var orders = new ArrayList<String>();
        for (var i = 0; i < count; i++) {
            var key = UUID.randomUUID().toString();
            await().pollDelay(Duration.ZERO)
                    .atMost(Duration.ofSeconds(40))
                    .ignoreExceptions()
                    .until(() -> {
                        var answer = shop.tryToOrder(1, key);
                        return answer.statusCode() == 202 && orders.add(answer.path("id"));
                    });
        }
        return orders;
    }

    private static void assertAllEndWell(Shop shop, List<String> orders) {
        await().atMost(Duration.ofSeconds(90))
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(orders)
                        .extracting(id -> Shop.look(id).<String>path("status"))
                        .containsOnly("CONFIRMED", "REJECTED"));
        assertThat(orders).doesNotHaveDuplicates().hasSize(ORDERS);
        assertThat(orders.stream()
                        .map(id -> Shop.look(id).<String>path("status"))
                        .filter("CONFIRMED"::equals))
                .hasSize(STOCK);
        await().atMost(Duration.ofSeconds(60)).ignoreExceptions().untilAsserted(() -> shop.assertSold(STOCK));
        shop.assertSpent(STOCK * Shop.PRICE);
        assertThat(orders).allSatisfy(id -> assertThat(Shop.timeline(id)).doesNotHaveDuplicates());
        assertThat(ComposedSystem.number("payments", "SELECT sum(amount) FROM ledger_entry"))
                .as("sum of the ledger")
                .isZero();
        for (var database : List.of("orders", "inventory", "payments", "notifications")) {
            assertThat(ComposedSystem.number(database, "SELECT count(*) FROM parked_event"))
                    .as("events parked in %s", database)
                    .isZero();
        }
    }
}
