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
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
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

    /**
     * The buyers of one sale whom this instance has queued and who are not decided. By their offsets, since a
     * partition is shared: the distance to what is decided would count the buyers of other sales.
     */
    static final class SaleQueue {
        private final AtomicInteger inFlight = new AtomicInteger();
        private final Queue<Long> acknowledged = new ArrayDeque<>();
        private long sampledAt = System.nanoTime();
        private int decidedSinceSample;
        private double decidedPerSecond = 100;

        synchronized void acknowledged(long offset) {
            acknowledged.add(offset);
        }

        synchronized int length(FlashSale sale) {
            while (!acknowledged.isEmpty() && acknowledged.peek() < sale.nextOffset()) {
                acknowledged.remove();
                decidedSinceSample++;
            }
            return acknowledged.size() + inFlight.get();
        }

        /** By the rate of decisions since the last sample. */
        synchronized Duration estimatedWait(FlashSale sale) {
            var length = length(sale);
            var now = System.nanoTime();
            var seconds = (now - sampledAt) / 1e9;
            if (seconds > 1) {
                decidedPerSecond = Math.max(1, decidedSinceSample / seconds);
                decidedSinceSample = 0;
                sampledAt = now;
            }
            return Duration.ofSeconds(
                    Math.clamp((long) Math.ceil(length / decidedPerSecond), 1, MAX_RETRY_AFTER.toSeconds()));
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
