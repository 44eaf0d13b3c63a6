package dev.orderly.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.PaymentMethod;
import dev.orderly.order.PlaceOrderResult.Overloaded;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.subscription.Cancellable;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OrderBatcherTest {

    private static final int WRITERS = 2;

    private final Semaphore entered = new Semaphore(0);
    private final Semaphore mayReturn = new Semaphore(0);
    private final Queue<String> placed = new ConcurrentLinkedQueue<>();

    /** A database that hangs. */
    private final OrderCommands commands = new OrderCommands(null, null, null, null, null, null, null) {
        @Override
        public List<PlaceOrderResult> place(List<PendingOrder> batch, Admission admission) {
            batch.forEach(order -> placed.add(order.idempotencyKey()));
            entered.release();
            mayReturn.acquireUninterruptibly();
            return batch.stream().<PlaceOrderResult>map(_ -> new Overloaded()).toList();
        }
    };

    private final OrderBatcher batcher = new OrderBatcher(commands);

    @AfterEach
    void stop() {
        mayReturn.release(100);
        batcher.stop(new ShutdownEvent());
    }

    @Test
    void nothing_is_placed_for_a_caller_who_has_hung_up_while_the_database_hung() throws InterruptedException {
        batcher.start(new StartupEvent());
        for (var writer = 0; writer < WRITERS; writer++) {
            place("in flight");
            entered.acquire();
        }
        place("has hung up").cancel();
        place("waits");

        mayReturn.release(100);

        await().until(() -> placed.contains("waits"));
        assertThat(placed).containsExactly("in flight", "in flight", "waits");
    }

    private Cancellable place(String key) {
        var command = new PlaceOrder(UUID.randomUUID(), List.of(), PaymentMethod.BALANCE, null);
        return batcher.place(command, key, null).subscribe().with(_ -> {}, _ -> {});
    }
}
