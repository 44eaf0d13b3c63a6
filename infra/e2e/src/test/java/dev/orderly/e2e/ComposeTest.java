package dev.orderly.e2e;

import static io.restassured.RestAssured.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The images and {@code docker-compose.yml}: every outcome of an order, and what survives when containers die. */
@ExtendWith(ComposedSystem.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ComposeTest {

    private static final int SOME_ORDERS = 30;

    @TempDir
    Path data;

    @BeforeAll
    static void shopsAreInContainers() {
        Shop.urls = ComposedSystem::url;
    }

    /** The first: of orders that others placed, the lab would not know what to think. */
    @Test
    @Order(1)
    void whatever_container_is_killed_or_cut_off_every_promise_is_kept() throws IOException, InterruptedException {
        try (var lab =
                new FaultLab(ComposedSystem.environment(), "--compose", "--until-eof", "--rate=10", "--data=" + data)) {
            awaitOrders(lab);

            ComposedSystem.kill("order-service");
            ComposedSystem.start("order-service");
            awaitOrders(lab);

            ComposedSystem.kill("kafka-2");
            awaitOrders(lab);
            for (var victim : List.of("payment-service", "connect")) {
                ComposedSystem.kill(victim);
                awaitOrders(lab);
                ComposedSystem.start(victim);
            }
            ComposedSystem.awaitReady(); // more that start at once would take minutes on two cores
            ComposedSystem.start("kafka-2");

            ComposedSystem.cutOff("inventory-service");
            awaitOrders(lab);
            ComposedSystem.connect("inventory-service");
            awaitOrders(lab);
            var run = lab.end();

            assertThat(run.output()).contains("every promise was kept");
            assertThat(run.code()).isZero();
        }
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

    @Test
    void a_service_that_starts_without_its_database_lives_and_waits_and_goes_on() {
        var payments = ComposedSystem.url("payment-service");
        ComposedSystem.kill("postgres");
        ComposedSystem.kill("payment-service");
        ComposedSystem.start("payment-service");

        ComposedSystem.awaitAnswer("payment-service", "/q/health/live");
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

    /** Returns when some more orders have been accepted. */
    private static void awaitOrders(FaultLab lab) throws IOException, InterruptedException {
        var enough = orders() + SOME_ORDERS;
        await().atMost(ComposedSystem.PATIENCE).until(() -> !lab.runs() || orders() >= enough);
        if (!lab.runs()) {
            fail("the fault lab ended: " + lab.end().output());
        }
    }

    private static long orders() {
        return ComposedSystem.number("orders", "SELECT count(*) FROM orders");
    }
}
