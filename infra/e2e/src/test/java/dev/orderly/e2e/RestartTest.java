package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.ShopClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Any part may die at any moment: orders end as they should, and stock and money add up. */
@EndToEnd
class RestartTest {

    private static final int ORDERS = 40;
    private static final int STOCK = 25;
    private static final Duration RECOVERED = Duration.ofSeconds(60);

    static final List<List<String>> VICTIMS =
            List.of(RunningPlatform.SERVICES, List.of("connect", "kafka-2", "postgres"));

    @ParameterizedTest
    @FieldSource("VICTIMS")
    void orders_placed_while_one_part_after_the_other_is_killed_all_end_well(List<String> victims) throws Exception {
        var shop = RunningSystem.shop(STOCK, 100_000);
        var orders = new ArrayList<String>();
        var perVictim = ORDERS / victims.size();
        for (var victim : victims) {
            placeUntilAccepted(shop, perVictim / 2, orders);
            var killed = RunningSystem.platform().kill(victim);
            placeUntilAccepted(shop, perVictim - perVictim / 2, orders);
            RunningSystem.platform().awaitRestart(killed);
        }

        assertAllEndWell(shop, orders);
    }

    @Test
    void orders_placed_while_a_connector_restarts_all_end_well() throws Exception {
        var shop = RunningSystem.shop(STOCK, 100_000);
        var orders = new ArrayList<String>();

        placeUntilAccepted(shop, ORDERS / 2, orders);
        assertThat(RunningSystem.platform().connector("POST", "/inventory-outbox/restart?includeTasks=true"))
                .isPresent();
        placeUntilAccepted(shop, ORDERS / 2, orders);

        assertAllEndWell(shop, orders);
    }

    private static void assertAllEndWell(Shop shop, List<String> orders) throws InterruptedException {
        orders.forEach(id -> shop.awaitStatus(id, RECOVERED, "CONFIRMED", "REJECTED"));
        var confirmed = new ArrayList<String>();
        for (var id : orders) {
            if (shop.status(id).equals("CONFIRMED")) {
                confirmed.add(id);
            }
            assertThat(shop.timeline(id)).as("timeline of %s", id).doesNotHaveDuplicates();
        }
        assertThat(confirmed).hasSize(STOCK);
        shop.assertSold(STOCK);
        shop.assertSpent(STOCK * Shop.PRICE);
        var platform = RunningSystem.platform();
        assertThat(platform.number("payments", "SELECT sum(amount) FROM ledger_entry"))
                .as("sum of the ledger")
                .isZero();
        for (var database : RunningPlatform.DATABASES) {
            assertThat(platform.number(database, "SELECT count(*) FROM parked_event"))
                    .as("events parked in %s", database)
                    .isZero();
        }
    }

    /** As a client should: again, with the same idempotency key, until an order is accepted. */
    private static void placeUntilAccepted(Shop shop, int count, List<String> orders) {
        for (var i = 0; i < count; i++) {
            var key = UUID.randomUUID().toString();
            var id = new AtomicReference<String>();
            await().pollDelay(Duration.ZERO)
                    .atMost(RECOVERED)
                    .ignoreExceptions()
                    .until(() -> {
                        id.set(ShopClient.id(shop.tryToOrder(1, key)));
                        return true;
                    });
            orders.add(id.get());
        }
    }
}
