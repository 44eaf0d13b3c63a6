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

    /** What a buyer is told. */
    sealed interface Answer {
        /** It is durable, and will be decided. */
        record Accepted() implements Answer {}

        record SoldOut() implements Answer {}

        record NotOpen() implements Answer {}

        record NoSuchSale() implements Answer {}

        /** There are as many ahead of them as there is left, or more than we can take in. */
        record Later(Duration retryAfter) implements Answer {}
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

    /** Never waits for anything but the acknowledgement of the brokers; fails when that does not come. */
    Uni<Answer> buy(String saleId, UUID customer) {
        asked.increment();
        var known = sales.remembered(saleId);
        if (known.isEmpty()) {
            return answer(new Answer.NoSuchSale());
        }
        var sale = known.get();
        if (sale.isSoldOut()) {
            return answer(new Answer.SoldOut());
        }
        if (!sale.isOpen(clock.instant())) {
            return answer(new Answer.NotOpen());
        }
        var queue = queues.computeIfAbsent(saleId, _ -> new Queue());
        if (queue.waiting(sale) >= sale.mostWaiting() || underWay.get() >= MOST_UNDER_WAY) {
            return answer(new Answer.Later(queue.untilDecided(sale)));
        }
        return send(sale, customer, queue).invoke(this::count);
    }

    /** How many requests have come so far, whatever became of them. */
    long asked() {
        return asked.sum();
    }

    private Uni<Answer> answer(Answer answer) {
        count(answer);
        return Uni.createFrom().item(answer);
    }

    private void count(Answer answer) {
        metrics.counter("orderly.flash.sale.intake", "answer", answer.getClass().getSimpleName())
                .increment();
    }

    private Uni<Answer> send(FlashSale sale, UUID customer, Queue queue) {
        underWay.incrementAndGet();
        queue.underWay.incrementAndGet();
        return Uni.createFrom()
                .<Answer>emitter(caller ->
                        intake.send(sale.id(), customer.toString().getBytes(UTF_8), (written, failure) -> {
                            if (failure == null) {
                                queue.nextOffset = Math.max(queue.nextOffset, written.offset() + 1);
                                caller.complete(new Answer.Accepted());
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
