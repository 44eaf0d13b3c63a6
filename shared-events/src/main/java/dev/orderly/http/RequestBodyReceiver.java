package dev.orderly.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Receives the whole body of a request before the request is admitted, so that a slow sender (slowloris)
 * occupies nothing that others need: no concurrent command, no thread, no connection to the database. A body
 * is limited in length and in time, and all incomplete ones together in bytes: beyond that the one that began
 * first is given up, since a sender who is not slow has finished long before.
 */
@ApplicationScoped
class RequestBodyReceiver {

    /** Of all connections; a sixteenth of a service's heap. */
    static final long MAX_INCOMPLETE_BYTES = 16L * 1024 * 1024;

    /** What a request costs even while nothing of its body has come. */
    private static final int OVERHEAD_BYTES = 4 * 1024;

    private final long maxBytes;
    private final Duration maxDuration;
    private final AtomicLong incompleteBytes = new AtomicLong();
    private final AtomicLong begun = new AtomicLong();
    private final ConcurrentSkipListMap<Long, IncompleteBody> incomplete = new ConcurrentSkipListMap<>();

    RequestBodyReceiver(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxSize,
            @ConfigProperty(name = "orderly.http.max-body-duration") Duration maxDuration,
            MeterRegistry metrics) {
        this.maxBytes = maxSize.asLongValue();
        this.maxDuration = maxDuration;
        Capacity.register(metrics, "incomplete-bodies", () -> incompleteBytes.doubleValue() / MAX_INCOMPLETE_BYTES);
    }

    void install(@Observes Filters filters) {
        filters.register(this::receive, EarlyRejection.BODY);
    }

    void receive(RoutingContext request) {
        if (request.response().closed()) {
            return; // the client left while its token was verified: no body will come, and nobody waits
        }
        if (EarlyRejection.contentLength(request) > maxBytes) {
            EarlyRejection.reject(request, 413, tooLong()); // before it arrives
        } else if (EarlyRejection.hasBody(request)) {
            new IncompleteBody(request).receive();
        } else {
            request.next();
        }
    }

    private String tooLong() {
        return "The body must not be longer than " + maxBytes + " bytes.";
    }

    /** All methods but {@link #giveUpSoon} run on the event loop of the connection. */
    private final class IncompleteBody {
        private final RoutingContext request;
        private final Context eventLoop = Vertx.currentContext();
        private final Buffer bytes = Buffer.buffer();
        private final long number = begun.incrementAndGet();
        private long timer;
        private boolean done;

        IncompleteBody(RoutingContext request) {
            this.request = request;
        }

        void receive() {
            timer = request.vertx().setTimer(maxDuration.toMillis(), _ -> giveUp(408, tooSlow()));
            incomplete.put(number, this);
            grow(OVERHEAD_BYTES);
            request.addEndHandler(_ -> finish()); // when the client disconnects
            request.request()
                    .handler(this::append)
                    .endHandler(_ -> complete())
                    .exceptionHandler(_ -> finish())
                    .resume();
            if ("100-continue".equalsIgnoreCase(request.request().getHeader(HttpHeaders.EXPECT))) {
                request.request().headers().remove(HttpHeaders.EXPECT); // or it would be answered twice
                request.response().writeContinue();
            }
        }

        private void append(Buffer chunk) {
            if (done) {
                return;
            }
            if (bytes.length() + chunk.length() > maxBytes) {
                giveUp(413, tooLong());
                return;
            }
            bytes.appendBuffer(chunk);
            grow(chunk.length());
        }

        private void grow(int by) {
            if (incompleteBytes.addAndGet(by) > MAX_INCOMPLETE_BYTES) {
                var first = incomplete.firstEntry();
                if (first != null) {
                    first.getValue().giveUpSoon();
                }
            }
        }

        @SuppressWarnings("deprecation") // what replaces it is internal to Vert.x
        private void complete() {
            if (finish()) {
                request.setBody(bytes);
                request.next();
            }
        }

        private void giveUpSoon() {
            eventLoop.runOnContext(_ -> giveUp(408, tooSlow()));
        }

        private String tooSlow() {
            return "The body did not arrive in time. Nothing was changed; try again.";
        }

        /** Without the rest of the body, the connection is of no use. */
        private void giveUp(int status, String detail) {
            if (finish()) {
                var connection = request.request().connection();
                request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
                request.addEndHandler(_ -> connection.close());
                EarlyRejection.reject(request, status, detail);
            }
        }

        /** Returns whether it was incomplete until now. */
        private boolean finish() {
            if (done) {
                return false;
            }
            done = true;
            request.vertx().cancelTimer(timer);
            incomplete.remove(number);
            incompleteBytes.addAndGet(-OVERHEAD_BYTES - bytes.length());
            return true;
        }
    }
}
