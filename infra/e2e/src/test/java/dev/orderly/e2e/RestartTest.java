package dev.orderly.e2e;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.oneOf;

import io.restassured.http.ContentType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Any part may die at any moment: orders end as they should, and stock and money add up. */
@ExtendWith(RunningSystem.class)
class RestartTest {

    private static final int ORDERS = 40;
    private static final int STOCK = 25;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "order-service inventory-service payment-service notification-service",
                "connect kafka-2 postgres"
            })
    void orders_placed_while_one_part_after_the_other_is_killed_all_end_well(String victims) {
        var parts = List.of(victims.split(" "));
        var shop = new Shop(STOCK, 100_000);
        var orders = new ArrayList<String>();
        for (var part : parts) {
            var former = RunningSystem.pid(part);
            for (var i = 0; i < ORDERS / parts.size(); i++) {
                if (i == ORDERS / parts.size() / 2) {
                    RunningSystem.kill(part);
                }
                orders.add(orderUntilAccepted(shop));
            }
            RunningSystem.awaitRestart(part, former);
        }

        assertAllEndWell(shop, orders);
    }

    @Test
    void orders_placed_while_a_connector_restarts_all_end_well() {
        var shop = new Shop(STOCK, 100_000);

        var orders = new ArrayList<String>();
        for (var i = 0; i < ORDERS; i++) {
            if (i == ORDERS / 2) {
                given().contentType(ContentType.JSON)
                        .post(RunningSystem.url("connect") + "/connectors/inventory-outbox/restart?includeTasks=true")
                        .then()
                        .statusCode(202);
            }
            orders.add(orderUntilAccepted(shop));
        }

        assertAllEndWell(shop, orders);
    }

    private static void assertAllEndWell(Shop shop, List<String> orders) {
        // Not all at once: an order that the read model has not got yet is answered after 10 s, by 503.
        orders.forEach(id -> await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> Shop.look(id).then().body("status", oneOf("CONFIRMED", "REJECTED"))));
        assertThat(orders.stream()
                        .map(id -> Shop.look(id).<String>path("status"))
                        .filter("CONFIRMED"::equals))
                .hasSize(STOCK);
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> shop.assertSold(STOCK));
        shop.assertSpent(STOCK * Shop.PRICE);
        assertThat(RunningSystem.number("payments", "SELECT sum(amount) FROM ledger_entry"))
                .as("sum of the ledger")
                .isZero();
        for (var database : List.of("orders", "inventory", "payments", "notifications")) {
            assertThat(RunningSystem.number(database, "SELECT count(*) FROM parked_event"))
                    .as("events parked in %s", database)
                    .isZero();
        }
        for (var order : orders) {
            assertThat(Shop.timeline(order)).as("timeline of %s", order).doesNotHaveDuplicates();
        }
    }

    /** As a client should: again, with the same key, until there is an answer. */
    private static String orderUntilAccepted(Shop shop) {
        var key = UUID.randomUUID().toString();
        var id = new String[1];
        await().pollDelay(Duration.ZERO)
                .atMost(Duration.ofSeconds(40))
                .ignoreExceptions()
                .until(() -> {
                    var answer = shop.tryToOrder(1, key);
                    id[0] = answer.statusCode() == 202 ? answer.path("id") : null;
                    return id[0] != null;
                });
        return id[0];
    }
}
