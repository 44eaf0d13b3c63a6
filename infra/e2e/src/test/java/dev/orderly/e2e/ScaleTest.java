package dev.orderly.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** More partitions under load: orders go on being accepted, and no order's events get out of order. */
@ExtendWith(RunningSystem.class)
class ScaleTest {

    private static final int STOCK = 10_000;

    @Test
    void the_topic_grows_while_orders_are_placed() throws Exception {
        var shop = new Shop(STOCK, 100_000_000);
        var orders = new CopyOnWriteArrayList<String>();
        var refused = new CopyOnWriteArrayList<Integer>();
        var grown = new AtomicBoolean();
        var client = Thread.ofVirtual().start(() -> {
            while (!grown.get()) {
                var answer = shop.tryToOrder(1, UUID.randomUUID().toString());
                if (answer.statusCode() == 202) {
                    orders.add(answer.path("id"));
                } else {
                    refused.add(answer.statusCode());
                }
            }
        });

        var output = RunningSystem.orderly("scale", "--partitions", "10");
        grown.set(true);
        client.join();

        assertThat(output).contains("there are 10 partitions", "all groups read all partitions");
        assertThat(refused).isEmpty();
        var partitions = new HashSet<Integer>();
        var open = new ArrayList<>(orders);
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            open.removeIf(id -> confirmed(id, partitions));
            return open.isEmpty();
        });
        assertThat(partitions).as("partitions in use").hasSizeGreaterThan(3);
        await().untilAsserted(() -> shop.assertSold(orders.size()));
        assertThat(RunningSystem.orderly("parked", "list")).doesNotContain("GAP");
    }

    private static boolean confirmed(String order, Set<Integer> partitions) {
        var seen = Shop.look(order);
        if (!"CONFIRMED".equals(seen.path("status"))) {
            return false;
        }
        assertThat(seen.<List<String>>path("timeline.type"))
                .containsExactly("OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed");
        partitions.addAll(seen.<List<Integer>>path("timeline.partition"));
        return true;
    }
}
