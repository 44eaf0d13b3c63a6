package dev.orderly.flashsale;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.http.Capacity;
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
 * The producer's side of the queue of buyers, a topic. An accepted buyer is on all in-sync replicas;
 * {@link FlashSaleConsumer} places the orders, as fast as they can be decided. A sale is one partition, so
 * first come is first served. Admission needs no database: it goes by the cached sale and by the acknowledged
 * offsets, and rejects buyers for whom nothing would be left.
 */
@ApplicationScoped
class FlashSaleQueue {

    /** Sent and not acknowledged, of all sales: about what brokers take in a fraction of a second. */
    private static final int MAX_IN_FLIGHT = 5_000;

    private static final Duration MAX_RETRY_AFTER = Duration.ofSeconds(10);

    private final FlashSales sales;
    private final Clock clock;
    private final NonBlockingProducer producer;
    private final MeterRegistry metrics;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final LongAdder requests = new LongAdder();
    private final Map<String, SaleQueue> queues = new ConcurrentHashMap<>();

    FlashSaleQueue(
            FlashSales sales,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.flash-sale-intake.topic") String topic,
            MeterRegistry metrics) {
        this.sales = sales;
        this.clock = clock;
        this.metrics = metrics;
        Capacity.register(metrics, "flash-sale-intake", () -> inFlight.doubleValue() / MAX_IN_FLIGHT);
        producer = new NonBlockingProducer(
                kafka, topic, "flash-sale-intake", Map.of("linger.ms", 2, "buffer.memory", 8 * 1024 * 1024));
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP)
    void cacheMetadata() {
        producer.cacheMetadata();
        queues.keySet().removeIf(sale -> sales.cached(sale).isEmpty()); // ended long ago
    }

    @PreDestroy
    void close() {
        producer.close();
    }

    /**
     * Why a buyer cannot be queued now, in the terms of RFC 9457.
     *
     * @param retryAfter null when a retry is of no use
     */
    record Rejection(int status, String detail, Duration retryAfter) {

        private static final Rejection NO_SUCH_SALE = new Rejection(404, "There is no flash sale of this id.", null);
        private static final Rejection NOT_OPEN = new Rejection(409, "The sale is not open.", null);
        private static final Rejection SOLD_OUT = new Rejection(410, "Sold out.", null);

        private static Rejection queueFull(Duration retryAfter) {
            return new Rejection(429, "There are as many queued as there is left.", retryAfter);
        }
    }

    /** How many buyers of one sale are on the topic and not decided. */
    private static final class SaleQueue {
        private final AtomicInteger inFlight = new AtomicInteger();
        private final AtomicLong firstOffset = new AtomicLong(Long.MAX_VALUE);
        private final AtomicLong nextOffset = new AtomicLong();
        private volatile long sampledAt = System.nanoTime();
        private volatile long lastDecided;
        private volatile double decidedPerSecond = 100;

        void acknowledged(long offset) {
            firstOffset.accumulateAndGet(offset, Math::min);
            nextOffset.accumulateAndGet(offset + 1, Math::max);
        }

        /** Before the first offset of a sale there are buyers of other sales only. */
        private long decided(FlashSale sale) {
            return sale.nextOffset() == 0 ? firstOffset.get() : sale.nextOffset();
        }

        long length(FlashSale sale) {
            return Math.max(0, nextOffset.get() - decided(sale)) + inFlight.get();
        }

        /** By the rate of decisions since the last sample. */
        Duration estimatedWait(FlashSale sale) {
            var now = System.nanoTime();
            var seconds = (now - sampledAt) / 1e9;
            if (seconds > 1) {
                var before = lastDecided == 0 ? firstOffset.get() : lastDecided;
                decidedPerSecond = Math.max(1, (decided(sale) - before) / seconds);
                lastDecided = decided(sale);
                sampledAt = now;
            }
            return Duration.ofSeconds(
                    Math.clamp((long) Math.ceil(length(sale) / decidedPerSecond), 1, MAX_RETRY_AFTER.toSeconds()));
        }
    }

    /** For each request as it arrives: why it is rejected; empty when it is admitted. */
    Optional<Rejection> checkAdmission(String saleId) {
        requests.increment();
        return rejection(saleId);
    }

    private Optional<Rejection> rejection(String saleId) {
        var rejection = sales.cached(saleId).map(this::rejection).orElse(Optional.of(Rejection.NO_SUCH_SALE));
        rejection.ifPresent(why -> count(why.status));
        return rejection;
    }

    private Optional<Rejection> rejection(FlashSale sale) {
        if (sale.isSoldOut()) {
            return Optional.of(Rejection.SOLD_OUT);
        }
        if (!sale.isOpen(clock.instant())) {
            return Optional.of(Rejection.NOT_OPEN);
        }
        var queue = queue(sale.id());
        return queue.length(sale) >= sale.maxQueued() || inFlight.get() >= MAX_IN_FLIGHT
                ? Optional.of(Rejection.queueFull(queue.estimatedWait(sale)))
                : Optional.empty();
    }

    private SaleQueue queue(String saleId) {
        return queues.computeIfAbsent(saleId, _ -> new SaleQueue());
    }

    /**
     * Queues a buyer if that is still possible: others may have been queued since the admission check. Waits
     * for the brokers' acknowledgement alone, and fails without it.
     */
    Uni<Optional<Rejection>> add(String saleId, UUID customer) {
        var rejection = rejection(saleId);
        if (rejection.isPresent()) {
            return Uni.createFrom().item(rejection);
        }
        return send(saleId, customer, queue(saleId)).invoke(() -> count(202)).replaceWith(Optional.empty());
    }

    /** How many requests have arrived so far, rejected or not. */
    long requests() {
        return requests.sum();
    }

    private void count(int status) {
        metrics.counter("orderly.flash.sale.requests", "status", String.valueOf(status))
                .increment();
    }

    private Uni<Void> send(String saleId, UUID customer, SaleQueue queue) {
        inFlight.incrementAndGet();
        queue.inFlight.incrementAndGet();
        return Uni.createFrom()
                .<Void>emitter(caller ->
                        producer.send(saleId, customer.toString().getBytes(UTF_8), (written, failure) -> {
                            if (failure == null) {
                                queue.acknowledged(written.offset());
                                caller.complete(null);
                            } else {
                                caller.fail(failure);
                            }
                        }))
                .onTermination()
                .invoke(() -> {
                    inFlight.decrementAndGet();
                    queue.inFlight.decrementAndGet();
                });
    }
}
