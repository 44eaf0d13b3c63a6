package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.testkit.ShopClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** More partitions under load: orders go on being accepted, and no order's events get out of order. */
@EndToEnd
class ScaleTest {

    private static final int STOCK = 10_000;
    private static final Duration MAX_WAIT = Duration.ofSeconds(60);

    @Test
    void the_topic_grows_while_orders_are_placed() throws Exception {
        var shop = RunningSystem.shop(STOCK, 100_000_000);
        var orders = new CopyOnWriteArrayList<String>();
        var rejected = new CopyOnWriteArrayList<Integer>();
        var grown = new AtomicBoolean();
        var client = Thread.ofVirtual().start(() -> {
            try {
                while (!grown.get()) {
                    var response = shop.tryToOrder(1, UUID.randomUUID().toString());
                    if (response.statusCode() == 202) {
                        orders.add(ShopClient.id(response));
                    } else {
                        rejected.add(response.statusCode());
                    }
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });

        var output = RunningSystem.orderly("scale", "--partitions", "10");
        grown.set(true);
        client.join();

        assertThat(output).contains("there are 10 partitions", "all groups read all partitions");
        assertThat(rejected).isEmpty();
        var partitions = new HashSet<Integer>();
        var open = new ArrayList<>(orders);
        await().atMost(MAX_WAIT).ignoreExceptions().until(() -> {
            for (var id : orders) {
                if (open.contains(id) && confirmed(shop, id, partitions)) {
                    open.remove(id);
                }
            }
            return open.isEmpty();
        });
        assertThat(partitions).as("partitions in use").hasSizeGreaterThan(3);
        shop.assertSold(orders.size());
        assertThat(RunningSystem.orderly("parked", "list")).doesNotContain("GAP");
    }

    private static boolean confirmed(Shop shop, String id, Set<Integer> partitions) throws InterruptedException {
        var order = shop.find(id);
        if (!order.path("status").asText().equals("CONFIRMED")) {
            return false;
        }
        assertThat(ShopClient.events(order))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        order.path("timeline")
                .forEach(event -> partitions.add(event.path("partition").asInt()));
        return true;
    }
}
