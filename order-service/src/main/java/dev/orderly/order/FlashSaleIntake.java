package dev.orderly.order;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.messaging.IntakeTopic;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Where the buyers of a flash sale come in. Whoever is told "accepted" is on the topic, on all in-sync replicas; the orders are
 * made from there, at the speed at which they can be ({@link FlashSaleDrain}). All of a sale goes into one partition, so who came
 * first is first. It is decided without the database, from what is remembered of the sale and what has been acknowledged:
 * whoever would only wait for what others ahead of them take is sent away at once.
 */
@ApplicationScoped
class FlashSaleIntake {

    /** Not acknowledged yet, of all sales: about as many as brokers take in a fraction of a second. */
    private static final int MOST_UNDER_WAY = 5_000;

    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);

    private final FlashSales sales;
    private final Clock clock;
    private final IntakeTopic intake;
    private final MeterRegistry metrics;
    private final AtomicInteger underWay = new AtomicInteger();
    private final LongAdder asked = new LongAdder();
    private final Map<String, Queue> queues = new ConcurrentHashMap<>();

    FlashSaleIntake(
            FlashSales sales,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.flash-sale-intake.topic") String topic,
            MeterRegistry metrics) {
        this.sales = sales;
        this.clock = clock;
        this.metrics = metrics;
        intake = new IntakeTopic(
                kafka, topic, "flash-sale-intake", Map.of("linger.ms", 2, "buffer.memory", 8 * 1024 * 1024));
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP)
    void remember() {
        intake.remember();
    }

    @PreDestroy
    void close() {
        intake.close();
    }

    /** Why somebody who comes now cannot be put in line. */
    sealed interface Refusal {
        record SoldOut() implements Refusal {}

        record NotOpen() implements Refusal {}

        record NoSuchSale() implements Refusal {}

        /** There are as many ahead of them as there is left, or more than we can take in. */
        record Later(Duration retryAfter) implements Refusal {}
    }

    /** How many of a sale are on the topic and not decided. */
    private static final class Queue {
        private final AtomicInteger underWay = new AtomicInteger();
        private volatile long nextOffset;
        private volatile long lastLook = System.nanoTime();
        private volatile long lastDecided;
        private volatile double decidedPerSecond = 100;

        long waiting(FlashSale sale) {
            return Math.max(0, nextOffset - sale.nextOffset()) + underWay.get();
        }

        /** By what was decided since the last look. */
        Duration untilDecided(FlashSale sale) {
            var now = System.nanoTime();
            var seconds = (now - lastLook) / 1e9;
            if (seconds > 1) {
                var decided = sale.nextOffset() - lastDecided;
                decidedPerSecond = Math.max(1, decided / seconds);
                lastDecided = sale.nextOffset();
                lastLook = now;
            }
            return Duration.ofSeconds(
                    Math.clamp((long) Math.ceil(waiting(sale) / decidedPerSecond), 1, LONGEST_RETRY.toSeconds()));
        }
    }

    /** Whoever comes, and before they say who they are: why they need not go on; nothing when they may. */
    Optional<Refusal> knock(String saleId) {
        asked.increment();
        var refusal = refusal(saleId);
        refusal.ifPresent(this::count);
        return refusal;
    }

    private Optional<Refusal> refusal(String saleId) {
        var known = sales.remembered(saleId);
        if (known.isEmpty()) {
            return Optional.of(new Refusal.NoSuchSale());
        }
        var sale = known.get();
        if (sale.isSoldOut()) {
            return Optional.of(new Refusal.SoldOut());
        }
        if (!sale.isOpen(clock.instant())) {
            return Optional.of(new Refusal.NotOpen());
        }
        var queue = queue(saleId);
        if (queue.waiting(sale) >= sale.mostWaiting() || underWay.get() >= MOST_UNDER_WAY) {
            return Optional.of(new Refusal.Later(queue.untilDecided(sale)));
        }
        return Optional.empty();
    }

    private Queue queue(String saleId) {
        return queues.computeIfAbsent(saleId, _ -> new Queue());
    }

    /**
     * Puts somebody in line: true when they are, false when others have taken the last place since they knocked. Never waits for
     * anything but the acknowledgement of the brokers; fails when that does not come.
     */
    Uni<Boolean> buy(String saleId, UUID customer) {
        if (refusal(saleId).isPresent()) {
            return Uni.createFrom().item(false);
        }
        return send(saleId, customer, queue(saleId))
                .invoke(() -> count("Accepted"))
                .replaceWith(true);
    }

    /** How many requests have come so far, whatever became of them. */
    long asked() {
        return asked.sum();
    }

    private void count(Refusal refusal) {
        count(refusal.getClass().getSimpleName());
    }

    private void count(String answer) {
        metrics.counter("orderly.flash.sale.intake", "answer", answer).increment();
    }

    private Uni<Void> send(String saleId, UUID customer, Queue queue) {
        underWay.incrementAndGet();
        queue.underWay.incrementAndGet();
        return Uni.createFrom()
                .<Void>emitter(caller ->
                        intake.send(saleId, customer.toString().getBytes(UTF_8), (written, failure) -> {
                            if (failure == null) {
                                queue.nextOffset = Math.max(queue.nextOffset, written.offset() + 1);
                                caller.complete(null);
                            } else {
                                caller.fail(failure);
                            }
                        }))
                .onTermination()
                .invoke(() -> {
                    underWay.decrementAndGet();
                    queue.underWay.decrementAndGet();
                });
    }
}
