package dev.orderly.clientlog;

import dev.orderly.clientlog.LogLineParser.Numbered;
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
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Where client logs come in, and no more of them than can be held: from the head of a request to the acknowledgement of its
 * last line by all in-sync replicas its bytes are counted, and a request that finds no room is sent away before its body is
 * read. The brokers' quota for this producer ({@code infra/kafka/quotas.json}) delays acknowledgements; so it is felt here, at
 * the door, and not in a heap that fills.
 */
@ApplicationScoped
class LogReceiver {

    static final String PATH = "/logs";

    /** Of all requests together: four of the longest, about two seconds at the quota. */
    static final int MOST_BYTES_UNDER_WAY = 4 * 1024 * 1024;

    /** A request costs something, however short it is: so there are {@code MOST_BYTES_UNDER_WAY} by this at most. */
    private static final int LEAST_BYTES = 16 * 1024;

    /** By then half of what is under way at most has been taken at the quota. */
    static final int RETRY_AFTER_SECONDS = 1;

    private final NonBlockingProducer topic;
    private final AtomicLong bytesUnderWay = new AtomicLong();
    private final Counter turnedAway;

    LogReceiver(
            @Identifier("default-kafka-broker") Map<String, Object> kafka,
            @ConfigProperty(name = "mp.messaging.incoming.client-log.topic") String topic,
            MeterRegistry metrics) {
        // Twice what is let in: a record is its line and a little more. Large batches are what brokers do cheaply.
        this.topic = new NonBlockingProducer(
                kafka,
                topic,
                "client-log",
                Map.of("buffer.memory", 2 * MOST_BYTES_UNDER_WAY, "batch.size", 64 * 1024, "linger.ms", 20));
        turnedAway = metrics.counter("orderly.log.turned.away");
        metrics.gauge("orderly.log.bytes.under.way", bytesUnderWay);
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP)
    void remember() {
        topic.remember();
    }

    @PreDestroy
    void close() {
        topic.close();
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST);
    }

    void admit(RoutingContext request) {
        // By its beginning: "/logs/", "/x/../logs" and "/logs;a=b" are routed to the logs too.
        if (request.request().method() != HttpMethod.POST
                || !request.normalizedPath().startsWith(PATH)) {
            request.next();
            return;
        }
        var length = EarlyRejection.length(request);
        if (length < 0) {
            EarlyRejection.refuse(request, 411, "Length Required", "Say in Content-Length how long the batch is.");
            return;
        }
        var bytes = Math.max(length, LEAST_BYTES);
        if (bytesUnderWay.addAndGet(bytes) <= MOST_BYTES_UNDER_WAY) {
            request.addEndHandler(_ -> bytesUnderWay.addAndGet(-bytes)); // also when the caller hangs up
            request.next();
        } else {
            bytesUnderWay.addAndGet(-bytes);
            turnedAway.increment();
            EarlyRejection.refuse(
                    request,
                    429,
                    "Too Many Requests",
                    "There are as many logs under way as can be held. None of these lines was taken; send them again.",
                    RETRY_AFTER_SECONDS);
        }
    }

    /** @param number as in {@link Numbered} */
    record Accepted(int number, LogLine line, byte[] bytes) {}

    /** The numbers of those lines that the brokers have not acknowledged, when all are settled; usually none. */
    Uni<Set<Integer>> take(List<Accepted> lines) {
        return Uni.createFrom().emitter(caller -> {
            var open = new AtomicInteger(lines.size());
            var failed = ConcurrentHashMap.<Integer>newKeySet();
            for (var line : lines) {
                topic.send(line.line().clientId(), line.bytes(), (_, failure) -> {
                    if (failure != null) {
                        failed.add(line.number());
                    }
                    if (open.decrementAndGet() == 0) {
                        caller.complete(failed);
                    }
                });
            }
        });
    }
}
