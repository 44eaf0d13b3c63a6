package dev.orderly.order.view;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.subscription.MultiEmitter;
import io.smallrye.mutiny.subscription.UniEmitter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Wakes those who wait for an order to change. One query serves all who wait, however many they are, and no thread is held
 * meanwhile. It runs whenever this instance's projection has committed, and every {@link #INTERVAL} for what another
 * instance's projection did.
 */
@ApplicationScoped
class OrderChangeNotifier {

    private static final Logger LOG = Logger.getLogger(OrderChangeNotifier.class);

    private static final Duration INTERVAL = Duration.ofMillis(100);

    /** Waiting requests at one time; the next one is answered at once, as if its time were up. */
    private static final int MAX_WAITING = 10_000;

    private final OrderViews views;
    private final Set<Waiting> waiting = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean due = new AtomicBoolean();
    private final ScheduledExecutorService lookout = threadNamed("order-watch");
    // Apart from the lookout, which a query holds up for as long as the database does not answer.
    private final ScheduledExecutorService timekeeper = threadNamed("order-watch-time");
    private boolean blind;

    OrderChangeNotifier(OrderViews views) {
        this.views = views;
    }

    private static ScheduledExecutorService threadNamed(String name) {
        return Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name(name).factory());
    }

    void start(@Observes StartupEvent event) {
        lookout.scheduleWithFixedDelay(this::lookAtAll, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        timekeeper.scheduleWithFixedDelay(this::endThoseWhoseTimeIsUp, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop(@Observes ShutdownEvent event) {
        lookout.shutdown();
        timekeeper.shutdown();
        waiting.forEach(Waiting::giveUp);
    }

    /** Look soon: orders have changed. */
    void look() {
        if (!waiting.isEmpty() && due.compareAndSet(false, true)) {
            lookout.execute(this::lookAtAll);
        }
    }

    /** Completes when the order has come far enough, or when the time is up, whatever becomes of the database. */
    Uni<Void> until(UUID order, Predicate<OrderProgress> farEnough, Duration atMost) {
        return Uni.createFrom().emitter(emitter -> {
            var wait = new UntilFarEnough(order, farEnough, System.nanoTime() + atMost.toNanos(), emitter);
            emitter.onTermination(() -> waiting.remove(wait));
            add(wait);
        });
    }

    /** The entries of the order's timeline behind a position, and then each as it comes, until the time is up. */
    Multi<OrderView.Entry> entriesAfter(UUID order, int position, Duration atMost) {
        return Multi.createFrom().emitter(emitter -> {
            var wait = new Stream(order, position, System.nanoTime() + atMost.toNanos(), emitter);
            emitter.onTermination(() -> waiting.remove(wait));
            add(wait);
        });
    }

    private void add(Waiting wait) {
        if (waiting.size() >= MAX_WAITING || lookout.isShutdown()) {
            wait.giveUp();
            return;
        }
        waiting.add(wait);
        look();
    }

    private void lookAtAll() {
        due.set(false);
        if (waiting.isEmpty()) {
            return;
        }
        try {
            var orders = waiting.stream().map(Waiting::order).collect(Collectors.toSet());
            var progress = views.progress(orders);
            var streams = new ArrayList<Stream>();
            for (var wait : waiting) {
                var reached = progress.getOrDefault(wait.order(), OrderProgress.NONE);
                switch (wait) {
                    case UntilFarEnough until when until.farEnough.test(reached) -> until.giveUp();
                    case Stream stream when stream.position < reached.events() -> streams.add(stream);
                    case UntilFarEnough _, Stream _ -> {}
                }
            }
            emit(streams);
            if (blind) {
                blind = false;
                LOG.info("the orders that requests wait for can be looked at again");
            }
        } catch (SQLException | RuntimeException e) {
            // Tried again after the interval; said once, and not ten times a second for as long as the database is
            // away.
            if (!blind) {
                blind = true;
                LOG.warn("could not look at the orders that requests wait for; it is tried again until it works", e);
            }
        }
    }

    private void endThoseWhoseTimeIsUp() {
        try {
            for (var wait : waiting) {
                if (wait.deadline() - System.nanoTime() <= 0) {
                    wait.giveUp();
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("a wait did not end well", e); // and this comes again, which it would not after an exception
        }
    }

    private void emit(List<Stream> streams) throws SQLException {
        if (streams.isEmpty()) {
            return;
        }
        Map<UUID, Integer> positions = new HashMap<>();
        streams.forEach(stream -> positions.merge(stream.order, stream.position, Math::min));
        var entries = views.entriesAfter(positions);
        streams.forEach(stream -> entries.getOrDefault(stream.order, List.of()).forEach(stream::emit));
    }

    private sealed interface Waiting {
        UUID order();

        long deadline();

        /** Ends the wait; the request goes on with whatever there is. */
        void giveUp();
    }

    private record UntilFarEnough(
            UUID order, Predicate<OrderProgress> farEnough, long deadline, UniEmitter<? super Void> emitter)
            implements Waiting {
        @Override
        public void giveUp() {
            emitter.complete(null);
        }
    }

    private static final class Stream implements Waiting {
        private final UUID order;
        private final long deadline;
        private final MultiEmitter<? super OrderView.Entry> emitter;
        private int position;

        Stream(UUID order, int position, long deadline, MultiEmitter<? super OrderView.Entry> emitter) {
            this.order = order;
            this.position = position;
            this.deadline = deadline;
            this.emitter = emitter;
        }

        void emit(OrderView.Entry entry) {
            if (entry.position() > position) {
                position = entry.position();
                emitter.emit(entry);
            }
        }

        @Override
        public UUID order() {
            return order;
        }

        @Override
        public long deadline() {
            return deadline;
        }

        @Override
        public void giveUp() {
            emitter.complete();
        }
    }
}
