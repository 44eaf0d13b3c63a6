package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.testkit.OrderlyCommand;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The images and {@code docker-compose.yml}: every outcome of an order, and what survives a kill. */
@Tag("processes")
@ExtendWith(ComposedSystem.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ComposeTest {

    private static final int SOME_ORDERS = 30;

    @TempDir
    Path data;

    /** First: the checks cannot account for orders that other tests have placed. */
    @Test
    @Order(1)
    void whatever_container_is_killed_or_cut_off_every_promise_is_kept() throws IOException, InterruptedException {
        var arguments = List.of("chaos", "--compose", "--until-eof", "--rate=10", "--data=" + data);
        try (var chaos = OrderlyCommand.start(ComposedSystem.environment(), arguments)) {
            awaitOrders(chaos);

            ComposedSystem.kill("order-service");
            ComposedSystem.start("order-service");
            awaitOrders(chaos);

            ComposedSystem.kill("kafka-2");
            awaitOrders(chaos);
            for (var victim : List.of("payment-service", "connect")) {
                ComposedSystem.kill(victim);
                awaitOrders(chaos);
                ComposedSystem.start(victim);
            }
            ComposedSystem.awaitReady(); // more that start at once would take minutes on two cores
            ComposedSystem.start("kafka-2");

            var networks = ComposedSystem.cutOff("inventory-service");
            awaitOrders(chaos);
            ComposedSystem.connect("inventory-service", networks);
            awaitOrders(chaos);
            var run = chaos.end();

            assertThat(run.output()).contains("every promise was kept");
            assertThat(run.exitCode()).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10, 5000, CONFIRMED, OrderPlaced StockReserved PaymentCaptured OrderConfirmed",
        "2, 5000, REJECTED, OrderPlaced StockRejected OrderRejected",
        "10, 2999, REJECTED, OrderPlaced StockReserved PaymentDeclined OrderRejected"
    })
    void an_order_of_three_ends_as_stock_and_money_allow(int stock, int money, String end, String events)
            throws Exception {
        var shop = new Shop(ComposedSystem::url, ComposedSystem.tokens(), stock, money);

        var id = shop.order(3);

        var order = shop.awaitEnd(id);
        assertThat(order.path("status").asText()).isEqualTo(end);
        assertThat(ShopClient.events(order)).containsExactly(events.split(" "));
        var sold = end.equals("CONFIRMED") ? 3 : 0;
        shop.assertSold(sold);
        shop.assertSpent(sold * Shop.PRICE);
        shop.assertMailed(id, end);
    }

    @Test
    void an_order_that_is_cancelled_leaves_nothing_behind() throws Exception {
        var shop = new Shop(ComposedSystem::url, ComposedSystem.tokens(), 10, 5000);
        String id;
        do { // an order may be confirmed before its cancellation is processed
            id = shop.order(1);
        } while (shop.cancel(id) == 409);

        assertThat(shop.awaitEnd(id).path("status").asText()).isEqualTo("CANCELLED");
    }

    @Test
    void a_service_that_starts_without_its_database_lives_and_waits_and_goes_on() throws Exception {
        ComposedSystem.kill("postgres");
        ComposedSystem.kill("payment-service");
        ComposedSystem.start("payment-service");

        ComposedSystem.awaitManagement("payment-service", "/q/health/live");
        var ready = ComposedSystem.askManagement("payment-service", "/q/health/ready");
        assertThat(ready.exitCode()).isEqualTo(1);
        assertThat(new JsonMapper().readTree(ready.output()).path("checks")).anySatisfy(check -> {
            assertThat(check.path("name").asText()).isEqualTo("Database migration");
            assertThat(check.path("status").asText()).isEqualTo("DOWN");
        });
        var account = ComposedSystem.url("payment-service", "/accounts/" + UUID.randomUUID());
        var asked = new ShopClient(ComposedSystem::url, ComposedSystem.tokens()).asStaff("GET", account, null);
        assertThat(asked.statusCode()).isEqualTo(503);

        ComposedSystem.start("postgres");
        ComposedSystem.awaitReady(); // all of them: the others were without it as well
    }

    @Test
    void no_container_has_a_privilege_or_can_write_to_its_image() {
        for (var container : ComposedSystem.containers()) {
            var part = container.getLabels().get("com.docker.compose.service");
            var inspected = ComposedSystem.docker()
                    .inspectContainerCmd(container.getId())
                    .exec();
            var host = inspected.getHostConfig();
            assertThat(host.getReadonlyRootfs()).as(part).isTrue();
            assertThat(host.getPidsLimit()).as(part).isPositive();
            assertThat(host.getLogConfig().getConfig()).as(part).containsKeys("max-size", "max-file");
            assertThat(ComposedSystem.execute(part, "cat", "/proc/1/status").output())
                    .as(part)
                    .doesNotContainPattern("(?m)^Uid:.*\\b0\\b")
                    .containsPattern("(?m)^CapBnd:\\s*0+$")
                    .containsPattern("(?m)^NoNewPrivs:\\s*1$");
            assertThat(inspected.getConfig().getEnv())
                    .as("secrets are files, which docker inspect does not show: " + part)
                    .noneMatch(variable -> variable.matches("\\w*(PASSWORD|KEY|SECRETS)=.*"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "proxy, postgres, 5432",
        "proxy, kafka-1, 9092",
        "proxy, connect, 8083",
        "simulators, postgres, 5432",
        "simulators, kafka-1, 9092",
        "order-service, connect, 8083",
        "connect, order-service, 9000"
    })
    void who_need_not_talk_to_each_other_cannot(String from, String to, int port) {
        for (var network : ComposedSystem.networks(to).values()) {
            var connect = "exec 3<>/dev/tcp/" + network.getIpAddress() + "/" + port;

            assertThat(ComposedSystem.execute(to, "bash", "-c", connect).exitCode())
                    .isZero();
            assertThat(ComposedSystem.execute(from, "timeout", "2", "bash", "-c", connect)
                            .exitCode())
                    .as(network.getIpAddress())
                    .isNotZero();
        }
    }

    /** Returns when some more orders have been accepted. */
    private static void awaitOrders(OrderlyCommand chaos) throws IOException, InterruptedException {
        var enough = orders() + SOME_ORDERS;
        await().atMost(ComposedSystem.MAX_WAIT).until(() -> !chaos.isAlive() || orders() >= enough);
        if (!chaos.isAlive()) {
            fail("chaos ended: " + chaos.end().output());
        }
    }

    private static long orders() {
        return ComposedSystem.number("orders", "SELECT count(*) FROM orders");
    }
}
