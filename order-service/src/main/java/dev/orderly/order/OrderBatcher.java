package dev.orderly.order;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.orderly.database.DatabaseFailure;
import dev.orderly.order.OrderCommands.Answer;
import dev.orderly.order.OrderCommands.Placement;
import dev.orderly.order.OrderCommands.Wish;
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
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Where orders come in. Those that come while one transaction is under way wait for its end together, and are the next
 * (group commit): an order that comes alone waits for nobody, a thousand at once cost a few commits. Whoever is answered
 * has an order that is durable.
 */
@ApplicationScoped
class OrderBatcher {

    /** Orders of one transaction. */
    private static final int GROUP = 200;

    /** One gathers while the other waits for the disk. */
    private static final int WRITERS = 2;

    /** Time-ordered, so that new orders are neighbours in every index. */
    private static final NoArgGenerator IDS = Generators.timeBasedEpochRandomGenerator();

    private final OrderCommands commands;
    private final BlockingQueue<Waiting> waiting = new LinkedBlockingQueue<>();

    private final ExecutorService writers = Executors.newFixedThreadPool(
            WRITERS, Thread.ofPlatform().name("order-intake-", 1).daemon().factory());

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

    /**
     * Places an order, see {@link OrderCommands#place}.
     *
     * @return the order when it is durable; fails with the reason when it is refused, or with that of the database
     */
    Uni<Order> place(Wish wish, String idempotencyKey, String traceparent) {
        return Uni.createFrom().emitter(caller -> {
            var one = new Waiting(
                    new Placement(IDS.generate(), wish, idempotencyKey, traceparent), caller, new AtomicBoolean());
            caller.onTermination(() -> one.gone.set(true));
            waiting.add(one);
        });
    }

    /**
     * @param gone when the caller has hung up: while the database hangs there may come many, each for a moment, and afterwards
     *     all who still wait would wait for the orders of those who do not
     */
    private record Waiting(Placement placement, UniEmitter<? super Order> caller, AtomicBoolean gone) {}

    private void write() {
        try {
            while (true) {
                var group = new ArrayList<Waiting>();
                group.add(waiting.take());
                waiting.drainTo(group, GROUP - 1);
                group.removeIf(one -> one.gone.get());
                if (!group.isEmpty()) {
                    place(group);
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the application stops
        }
    }

    private void place(List<Waiting> group) {
        try {
            var placements = group.stream().map(Waiting::placement).toList();
            answer(group, commands.place(placements, false));
        } catch (SQLException | RuntimeException | Error e) { // an error would end the thread, and with it the intake
            var failure = DatabaseFailure.behind(e);
            if (group.size() > 1 && failure != null && DatabaseFailure.isTheFaultOfData(failure)) {
                group.forEach(one -> place(List.of(one))); // it is not the fault of the others
            } else {
                group.forEach(one -> one.caller.fail(e));
            }
        }
    }

    /** After the commit. */
    private static void answer(List<Waiting> group, List<Answer> answers) {
        for (var i = 0; i < group.size(); i++) {
            var caller = group.get(i).caller;
            switch (answers.get(i)) {
                case Answer.Accepted accepted -> caller.complete(accepted.order());
                case Answer.Refused refused -> caller.fail(refused.why());
            }
        }
    }
}
