package dev.orderly.clientlog;

import dev.orderly.clientlog.LogLineParser.NumberedLine;
import dev.orderly.http.Capacity;
import dev.orderly.http.ConcurrencyLimiter;
import dev.orderly.http.EarlyRejection;
import dev.orderly.messaging.NonBlockingProducer;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.smallrye.common.annotation.Identifier;
import io.smallrye.mutiny.Uni;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Admits requests by their size and publishes their lines. The bytes of a request are in flight from the end
 * of its body until it is answered and all in-sync replicas have acknowledged its last line, or it has
 * failed: also when the client has hung up before. A request that would exceed the limit is rejected, before
 * its body is read if possible. The brokers' quota for this producer
 * ({@code infra/kafka/quotas.json}) delays acknowledgements; the limit turns the delay into backpressure,
 * where otherwise the heap would fill.
 */
@ApplicationScoped
class LogReceiver {

    static final String PATH = "/logs";

    /** Of all requests: four of maximum size, or what the quota allows in about two seconds. */
    static final int MAX_BYTES_IN_FLIGHT = 4 * 1024 * 1024;

    /** A smaller request counts as this, for its fixed cost: it bounds the number of requests as well. */
    private static final int MIN_REQUEST_BYTES = 16 * 1024;

    /** Within this time the quota allows half of {@link #MAX_BYTES_IN_FLIGHT}. */
    static final int RETRY_AFTER_SECONDS = 1;

    private static final String RESERVATION = Reservation.class.getName();

    private final NonBlockingProducer producer;
    private final AtomicLong bytesInFlight = new AtomicLong();
    private final Counter rejectedRequests;

    @Inject
    LogReceiver(
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.client-log.topic") String topic,
            MeterRegistry metrics) {
        // Twice what is admitted, for the overhead of a record. Large batches cost the brokers the least.
        var tuning = Map.<String, Object>of(
                "buffer.memory", 2 * MAX_BYTES_IN_FLIGHT, "batch.size", 64 * 1024, "linger.ms", 20);
        this(new NonBlockingProducer(kafka, topic, "client-log", tuning), metrics);
    }

    LogReceiver(NonBlockingProducer producer, MeterRegistry metrics) {
        this.producer = producer;
        rejectedRequests = metrics.counter("orderly.log.requests.rejected");
        metrics.gauge("orderly.log.bytes.in.flight", bytesInFlight);
        Capacity.register(metrics, "client-log-bytes", () -> bytesInFlight.doubleValue() / MAX_BYTES_IN_FLIGHT);
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP)
    void cacheMetadata() {
        producer.cacheMetadata();
    }

    @PreDestroy
    void close() {
        producer.close();
    }

    void install(@Observes Filters filters) {
        filters.register(this::checkHead, EarlyRejection.HEAD);
        filters.register(this::admit, EarlyRejection.ADMISSION);
    }

    /** Sheds load before a body is read, and reserves nothing: the body may never come. */
    void checkHead(RoutingContext request) {
        if (!isBatch(request)) {
            request.next();
            return;
        }
        ConcurrencyLimiter.exempt(request);
        var length = EarlyRejection.contentLength(request);
        if (length < 0) {
            EarlyRejection.reject(request, 411, "Say in Content-Length how long the batch is.");
        } else if (bytesInFlight.get() + size(length) > MAX_BYTES_IN_FLIGHT) {
            reject(request);
        } else {
            request.next();
        }
    }

    void admit(RoutingContext request) {
        if (!isBatch(request)) {
            request.next();
            return;
        }
        var reservation = new Reservation(size(EarlyRejection.contentLength(request)));
        if (reservation.total <= MAX_BYTES_IN_FLIGHT) {
            request.put(RESERVATION, reservation);
            request.addEndHandler(_ -> reservation.release()); // also when the client disconnects
            request.next();
        } else {
            reservation.release();
            reject(request);
        }
    }

    static Reservation reservationOf(RoutingContext request) {
        return request.get(RESERVATION);
    }

    /** Of bytes in flight: held by a request, and by its lines while they are published. */
    final class Reservation {

        private final long bytes;
        /** In flight, this one included, when it was made. */
        private final long total;

        private int holders = 1;

        Reservation(long bytes) {
            this.bytes = bytes;
            this.total = bytesInFlight.addAndGet(bytes);
        }

        /** Again, if the client has hung up before its lines are published. */
        private synchronized void hold() {
            if (holders++ == 0) {
                bytesInFlight.addAndGet(bytes);
            }
        }

        synchronized void release() {
            if (--holders == 0) {
                bytesInFlight.addAndGet(-bytes);
            }
        }
    }

    /** By prefix: "/logs/", "/x/../logs" and "/logs;a=b" are routed to the resource as well. */
    private static boolean isBatch(RoutingContext request) {
        return request.request().method() == HttpMethod.POST
                && request.normalizedPath().startsWith(PATH);
    }

    private static long size(long length) {
        return Math.max(length, MIN_REQUEST_BYTES);
    }

    private void reject(RoutingContext request) {
        rejectedRequests.increment();
        EarlyRejection.reject(
                request,
                429,
                "There are as many logs in flight as can be held. None of these lines was taken; send them again.",
                RETRY_AFTER_SECONDS);
    }

    /** @param number as in {@link NumberedLine} */
    record AcceptedLine(int number, LogLine line, byte[] bytes) {}

    /**
     * Completes when every line is acknowledged or failed, with the numbers of those that failed. Until then
     * the reservation of their request is held.
     */
    Uni<Set<Integer>> publish(Reservation reservation, List<AcceptedLine> lines) {
        return Uni.createFrom().emitter(caller -> {
            reservation.hold();
            var pending = new AtomicInteger(lines.size());
            var failed = ConcurrentHashMap.<Integer>newKeySet();
            for (var line : lines) {
                producer.send(line.line().clientId(), line.bytes(), (_, failure) -> {
                    if (failure != null) {
                        failed.add(line.number());
                    }
                    if (pending.decrementAndGet() == 0) {
                        reservation.release();
                        caller.complete(failed);
                    }
                });
            }
        });
    }
}
