package dev.orderly.order;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.PaymentMethod;
import dev.orderly.order.OrderCommands.Answer;
import dev.orderly.order.OrderCommands.Placement;
import dev.orderly.order.OrderCommands.Wish;
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
    private final Semaphore mayGo = new Semaphore(0);
    private final Queue<String> placed = new ConcurrentLinkedQueue<>();

    /** A database that hangs. */
    private final OrderCommands commands = new OrderCommands(null, null, null, null, null) {
        @Override
        public List<Answer> place(List<Placement> placements, boolean admitted) {
            placements.forEach(placement -> placed.add(placement.idempotencyKey()));
            entered.release();
            mayGo.acquireUninterruptibly();
            return placements.stream()
                    .<Answer>map(_ -> new Answer.Refused(new OrderCommands.TooManyWaiting()))
                    .toList();
        }
    };

    private final OrderBatcher intake = new OrderBatcher(commands);

    @AfterEach
    void stop() {
        mayGo.release(100);
        intake.stop(new ShutdownEvent());
    }

    @Test
    void nothing_is_placed_for_a_caller_who_has_hung_up_while_the_database_hung() throws InterruptedException {
        intake.start(new StartupEvent());
        for (var writer = 0; writer < WRITERS; writer++) {
            place("under way");
            entered.acquire();
        }
        place("has hung up").cancel();
        place("waits");

        mayGo.release(100);

        await().until(() -> placed.contains("waits"));
        assertThat(placed).containsExactly("under way", "under way", "waits");
    }

    private Cancellable place(String key) {
        var wish = new Wish(UUID.randomUUID(), List.of(), PaymentMethod.BALANCE, null);
        return intake.place(wish, key, null).subscribe().with(_ -> {}, _ -> {});
    }
}
