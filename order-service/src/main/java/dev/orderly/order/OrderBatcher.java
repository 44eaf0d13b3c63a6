package dev.orderly.order;

import dev.orderly.database.DatabaseFailure;
import dev.orderly.order.OrderCommands.Admission;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.UniEmitter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Group commit: the orders that arrive while one transaction runs are the next one together. An order that
 * arrives alone is not delayed, a thousand at once cost a few commits. Callers are answered after the commit:
 * a placed order is durable.
 */
@ApplicationScoped
class OrderBatcher {

    /** Orders of one transaction. */
    private static final int MAX_BATCH = 200;

    /** One collects a batch while the other waits for the disk. */
    private static final int WRITERS = 2;

    private final OrderCommands commands;
    /** No longer than there may be commands in progress, {@link dev.orderly.http.ConcurrencyLimiter}. */
    private final BlockingQueue<PendingRequest> queue = new LinkedBlockingQueue<>();

    private final ExecutorService writers = Executors.newFixedThreadPool(
            WRITERS, Thread.ofPlatform().name("order-batcher-", 1).daemon().factory());

    OrderBatcher(OrderCommands commands) {
        this.commands = commands;
    }

    void start(@Observes StartupEvent event) {
        for (var i = 0; i < WRITERS; i++) {
            writers.execute(this::write);
        }
    }

    void stop(@Observes ShutdownEvent event) {
        writers.shutdownNow();
    }

    /** See {@link OrderCommands#place}; completes after the commit, fails when the database does. */
    Uni<PlaceOrderResult> place(PlaceOrder command, String idempotencyKey, String traceparent) {
        return Uni.createFrom().emitter(caller -> {
            var request = new PendingRequest(PendingOrder.ofClient(command, idempotencyKey, traceparent), caller);
            // Of a caller who hangs up: while the database hangs, callers with short timeouts come and go,
            // and those who still wait would wait for the orders of all who do not.
            caller.onTermination(() -> queue.remove(request));
            queue.add(request);
        });
    }

    private record PendingRequest(PendingOrder order, UniEmitter<? super PlaceOrderResult> caller) {}

    private void write() {
        try {
            while (true) {
                var batch = new ArrayList<PendingRequest>();
                batch.add(queue.take());
                queue.drainTo(batch, MAX_BATCH - 1);
                place(batch);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the application stops
        }
    }

    private void place(List<PendingRequest> batch) {
        try {
            var orders = batch.stream().map(PendingRequest::order).toList();
            answer(batch, commands.place(orders, Admission.LIMITED));
        } catch (SQLException | RuntimeException | Error e) { // an error would end this writer
            var failure = DatabaseFailure.causeOf(e);
            if (batch.size() > 1 && failure != null && DatabaseFailure.isCausedByData(failure)) {
                batch.forEach(request -> place(List.of(request))); // one bad order must not fail the others
            } else {
                batch.forEach(request -> request.caller.fail(e));
            }
        }
    }

    /** After the commit. */
    private static void answer(List<PendingRequest> batch, List<PlaceOrderResult> results) {
        for (var i = 0; i < batch.size(); i++) {
            batch.get(i).caller.complete(results.get(i));
        }
    }
}
