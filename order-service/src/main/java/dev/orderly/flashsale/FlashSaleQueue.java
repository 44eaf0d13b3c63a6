package dev.orderly.flashsale;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.messaging.NonBlockingProducer;
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
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Where the buyers of a flash sale come in. Whoever is told "accepted" is on the topic, on all in-sync replicas; the orders are
 * made from there, at the speed at which they can be ({@link FlashSaleConsumer}). All of a sale goes into one partition, so who came
 * first is first. It is decided without the database, from what is remembered of the sale and what has been acknowledged:
 * whoever would only wait for what others ahead of them take is sent away at once.
 */
@ApplicationScoped
class FlashSaleQueue {

    /** Not acknowledged yet, of all sales: about as many as brokers take in a fraction of a second. */
    private static final int MOST_UNDER_WAY = 5_000;

    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);

    private final FlashSales sales;
    private final Clock clock;
    private final NonBlockingProducer intake;
    private final MeterRegistry metrics;
    private final AtomicInteger underWay = new AtomicInteger();
    private final LongAdder asked = new LongAdder();
    private final Map<String, Queue> queues = new ConcurrentHashMap<>();

    FlashSaleQueue(
            FlashSales sales,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.flash-sale-intake.topic") String topic,
            MeterRegistry metrics) {
        this.sales = sales;
        this.clock = clock;
        this.metrics = metrics;
        intake = new NonBlockingProducer(
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

    /**
     * Why somebody who comes now cannot be put in line, in the terms of RFC 9457.
     *
     * @param retryAfter null when it is of no use to come again
     */
    record Refusal(int status, String title, String detail, Duration retryAfter) {

        private static final Refusal NO_SUCH_SALE =
                new Refusal(404, "Not Found", "There is no flash sale of this id.", null);
        private static final Refusal NOT_OPEN = new Refusal(409, "Conflict", "The sale is not open.", null);
        private static final Refusal SOLD_OUT = new Refusal(410, "Gone", "Sold out.", null);

        private static Refusal later(Duration retryAfter) {
            return new Refusal(429, "Too Many Requests", "There are as many in line as there is left.", retryAfter);
        }
    }

    /** How many of a sale are on the topic and not decided. */
    private static final class Queue {
        private final AtomicInteger underWay = new AtomicInteger();
        private final AtomicLong firstOffset = new AtomicLong(Long.MAX_VALUE);
        private final AtomicLong nextOffset = new AtomicLong();
        private volatile long lastLook = System.nanoTime();
        private volatile long lastDecided;
        private volatile double decidedPerSecond = 100;

        void acknowledged(long offset) {
            firstOffset.accumulateAndGet(offset, Math::min);
            nextOffset.accumulateAndGet(offset + 1, Math::max);
        }

        /** What lies before the first of a sale of which nobody is decided yet are the buyers of other sales. */
        private long decided(FlashSale sale) {
            return sale.nextOffset() == 0 ? firstOffset.get() : sale.nextOffset();
        }

        long waiting(FlashSale sale) {
            return Math.max(0, nextOffset.get() - decided(sale)) + underWay.get();
        }

        /** By what was decided since the last look. */
        Duration untilDecided(FlashSale sale) {
            var now = System.nanoTime();
            var seconds = (now - lastLook) / 1e9;
            if (seconds > 1) {
                var before = lastDecided == 0 ? firstOffset.get() : lastDecided;
                decidedPerSecond = Math.max(1, (decided(sale) - before) / seconds);
                lastDecided = decided(sale);
                lastLook = now;
            }
            return Duration.ofSeconds(
                    Math.clamp((long) Math.ceil(waiting(sale) / decidedPerSecond), 1, LONGEST_RETRY.toSeconds()));
        }
    }

    /** Whoever comes, and before they say who they are: why they need not go on; nothing when they may. */
    Optional<Refusal> knock(String saleId) {
        asked.increment();
        return refusal(saleId);
    }

    private Optional<Refusal> refusal(String saleId) {
        var refusal = whyNot(saleId);
        refusal.ifPresent(why -> count(why.status));
        return refusal;
    }

    private Optional<Refusal> whyNot(String saleId) {
        var known = sales.remembered(saleId);
        if (known.isEmpty()) {
            return Optional.of(Refusal.NO_SUCH_SALE);
        }
        var sale = known.get();
        if (sale.isSoldOut()) {
            return Optional.of(Refusal.SOLD_OUT);
        }
        if (!sale.isOpen(clock.instant())) {
            return Optional.of(Refusal.NOT_OPEN);
        }
        var queue = queue(saleId);
        if (queue.waiting(sale) >= sale.mostWaiting() || underWay.get() >= MOST_UNDER_WAY) {
            return Optional.of(Refusal.later(queue.untilDecided(sale)));
        }
        return Optional.empty();
    }

    private Queue queue(String saleId) {
        return queues.computeIfAbsent(saleId, _ -> new Queue());
    }

    /**
     * Puts somebody in line, if that is still possible: others may have come since they knocked. Never waits for anything but
     * the acknowledgement of the brokers; fails when that does not come.
     */
    Uni<Optional<Refusal>> buy(String saleId, UUID customer) {
        var refusal = refusal(saleId);
        if (refusal.isPresent()) {
            return Uni.createFrom().item(refusal);
        }
        return send(saleId, customer, queue(saleId)).invoke(() -> count(202)).replaceWith(Optional.empty());
    }

    /** How many requests have come so far, whatever became of them. */
    long asked() {
        return asked.sum();
    }

    private void count(int status) {
        metrics.counter("orderly.flash.sale.intake", "status", String.valueOf(status))
                .increment();
    }

    private Uni<Void> send(String saleId, UUID customer, Queue queue) {
        underWay.incrementAndGet();
        queue.underWay.incrementAndGet();
        return Uni.createFrom()
                .<Void>emitter(caller ->
                        intake.send(saleId, customer.toString().getBytes(UTF_8), (written, failure) -> {
                            if (failure == null) {
                                queue.acknowledged(written.offset());
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
