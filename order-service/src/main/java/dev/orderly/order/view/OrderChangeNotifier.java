package dev.orderly.order.view;

import dev.orderly.http.Capacity;
import io.micrometer.core.instrument.MeterRegistry;
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
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Notifies requests that wait for an order to change. One query serves all of them, and none holds a thread.
 * It runs after each commit of this instance's projection, and every {@link #INTERVAL} for commits of other
 * instances.
 */
@ApplicationScoped
class OrderChangeNotifier {

    private static final Logger LOG = Logger.getLogger(OrderChangeNotifier.class);

    private static final Duration INTERVAL = Duration.ofMillis(100);

    /** A comment on the line: clients and proxies end a connection that is silent for a minute or so. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(15);

    /** For the projection to learn of an order: one that does not exist must not be waited for any longer. */
    private static final Duration MAX_UNKNOWN = Duration.ofSeconds(10);

    /**
     * Waiting requests at one time. One more ends the wait of the one that has waited longest, as its timeout
     * would: a flood makes all waits shorter, but stops none from starting.
     */
    static final int MAX_WAITING = 5_000;

    private final OrderViews views;
    private final ConcurrentSkipListMap<Long, Subscription> subscriptions = new ConcurrentSkipListMap<>();
    private final AtomicLong begun = new AtomicLong();
    private final AtomicInteger waiting = new AtomicInteger(); // the size of the map, which it would have to count
    private final AtomicBoolean pollScheduled = new AtomicBoolean();
    private final ScheduledExecutorService poller = threadNamed("order-change-poller");
    // A thread of its own, because a query blocks the poller for as long as the database does not answer.
    private final ScheduledExecutorService timeouts = threadNamed("order-change-timeouts");
    private boolean degraded;

    OrderChangeNotifier(OrderViews views, MeterRegistry metrics) {
        this.views = views;
        Capacity.register(metrics, "waiting-for-orders", () -> waiting.doubleValue() / MAX_WAITING);
    }

    private static ScheduledExecutorService threadNamed(String name) {
        return Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().name(name).factory());
    }

    void start(@Observes StartupEvent event) {
        poller.scheduleWithFixedDelay(this::poll, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
        timeouts.scheduleWithFixedDelay(this::expireOverdue, 0, INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop(@Observes ShutdownEvent event) {
        poller.shutdown();
        timeouts.shutdown();
        subscriptions.values().forEach(Subscription::complete);
    }

    /** To be called when orders have changed. */
    void pollSoon() {
        if (!subscriptions.isEmpty() && pollScheduled.compareAndSet(false, true)) {
            poller.execute(this::poll);
        }
    }

    /**
     * Completes when the order has reached a state or at the timeout, even without a database; for an order
     * that is still unknown after ten seconds, then.
     */
    Uni<Void> until(UUID order, Predicate<OrderProgress> hasReached, Duration timeout) {
        return Uni.createFrom().emitter(emitter -> {
            var now = System.nanoTime();
            add(
                    new StateSubscription(
                            order, hasReached, now + MAX_UNKNOWN.toNanos(), now + timeout.toNanos(), emitter),
                    emitter::onTermination);
        });
    }

    /**
     * The entries of the order's timeline after a position, and then each new one, until the timeout. Empty
     * items in between, the first at once, show that the stream is alive.
     */
    Multi<Optional<OrderView.TimelineEntry>> entriesAfter(UUID order, int position, Duration timeout) {
        return Multi.createFrom()
                .emitter(emitter -> add(
                        new StreamSubscription(order, position, System.nanoTime() + timeout.toNanos(), emitter),
                        emitter::onTermination));
    }

    private void add(Subscription subscription, Consumer<Runnable> onTermination) {
        var number = begun.incrementAndGet();
        subscriptions.put(number, subscription);
        var isOneTooMany = waiting.incrementAndGet() > MAX_WAITING;
        onTermination.accept(() -> {
            if (subscriptions.remove(number) != null) {
                waiting.decrementAndGet();
            }
        });
        var first = subscriptions.firstEntry();
        if (isOneTooMany && first != null) {
            first.getValue().complete();
        }
        if (poller.isShutdown()) {
            subscription.complete();
        } else {
            pollSoon();
        }
    }

    private void poll() {
        pollScheduled.set(false);
        if (subscriptions.isEmpty()) {
            return;
        }
        try {
            var orders =
                    subscriptions.values().stream().map(Subscription::order).collect(Collectors.toSet());
            var progress = views.progress(orders);
            var streams = new ArrayList<StreamSubscription>();
            for (var subscription : subscriptions.values()) {
                var now = progress.getOrDefault(subscription.order(), OrderProgress.NONE);
                switch (subscription) {
                    case StateSubscription state when state.endsBy(now) -> state.complete();
                    case StreamSubscription stream when stream.position < now.events() -> streams.add(stream);
                    case StateSubscription _, StreamSubscription _ -> {}
                }
            }
            emit(streams);
            if (degraded) {
                degraded = false;
                LOG.info("polling the orders that requests wait for works again");
            }
        } catch (SQLException | RuntimeException e) {
            // Logged once, not ten times a second for the length of the outage.
            if (!degraded) {
                degraded = true;
                LOG.warn("could not poll the orders that requests wait for; retrying until it works", e);
            }
        }
    }

    private void expireOverdue() {
        try {
            for (var subscription : subscriptions.values()) {
                if (subscription.deadline() - System.nanoTime() <= 0) {
                    subscription.complete();
                } else if (subscription instanceof StreamSubscription stream) {
                    stream.emitHeartbeatWhenDue();
                }
            }
        } catch (RuntimeException e) {
            LOG.warn("a request could not be completed at its timeout", e); // else the schedule would end
        }
    }

    private void emit(List<StreamSubscription> streams) throws SQLException {
        if (streams.isEmpty()) {
            return;
        }
        Map<UUID, Integer> positions = new HashMap<>();
        streams.forEach(stream -> positions.merge(stream.order, stream.position, Math::min));
        var entries = views.entriesAfter(positions);
        streams.forEach(stream -> entries.getOrDefault(stream.order, List.of()).forEach(stream::emit));
    }

    private sealed interface Subscription {
        UUID order();

        long deadline();

        /** The request goes on with whatever has been reached. */
        void complete();
    }

    private record StateSubscription(
            UUID order,
            Predicate<OrderProgress> hasReached,
            long deadlineIfUnknown,
            long deadline,
            UniEmitter<? super Void> emitter)
            implements Subscription {

        boolean endsBy(OrderProgress now) {
            return hasReached.test(now) || now.events() == 0 && deadlineIfUnknown - System.nanoTime() <= 0;
        }

        @Override
        public void complete() {
            emitter.complete(null);
        }
    }

    private static final class StreamSubscription implements Subscription {
        private final UUID order;
        private final long deadline;
        private final MultiEmitter<? super Optional<OrderView.TimelineEntry>> emitter;
        private int position;
        private volatile long lastItem = System.nanoTime() - HEARTBEAT.toNanos();

        StreamSubscription(
                UUID order,
                int position,
                long deadline,
                MultiEmitter<? super Optional<OrderView.TimelineEntry>> emitter) {
            this.order = order;
            this.position = position;
            this.deadline = deadline;
            this.emitter = emitter;
        }

        void emit(OrderView.TimelineEntry entry) {
            if (entry.position() > position) {
                position = entry.position();
                lastItem = System.nanoTime();
                emitter.emit(Optional.of(entry));
            }
        }

        void emitHeartbeatWhenDue() {
            var now = System.nanoTime();
            if (now - lastItem >= HEARTBEAT.toNanos()) {
                lastItem = now;
                emitter.emit(Optional.empty());
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
        public void complete() {
            emitter.complete();
        }
    }
}
