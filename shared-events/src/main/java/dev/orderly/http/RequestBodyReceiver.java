package dev.orderly.http;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Limits the body of a request, in length and in time. A body that is announced as too long is rejected
 * before it arrives, and by a problem, where Quarkus would answer the status alone. A body that does not
 * arrive in time ends the connection: a slow sender (slowloris) would occupy a concurrent command.
 */
@ApplicationScoped
class RequestBodyLimit {

    private final long maxBytes;
    private final Duration maxDuration;

    RequestBodyLimit(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxSize,
            @ConfigProperty(name = "orderly.http.max-body-duration") Duration maxDuration) {
        this.maxBytes = maxSize.asLongValue();
        this.maxDuration = maxDuration;
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST + 1); // before the request counts as a concurrent command
    }

    private void admit(RoutingContext request) {
        if (EarlyRejection.contentLength(request) > maxBytes) {
            EarlyRejection.reject(request, 413, "The body must not be longer than " + maxBytes + " bytes.");
        } else {
            enforceReadTimeout(request);
            request.next();
        }
    }

    private void enforceReadTimeout(RoutingContext request) {
        if (EarlyRejection.hasBody(request)) {
            var timer = request.vertx().setTimer(maxDuration.toMillis(), _ -> {
                if (!isFullyReceived(request)) {
                    request.request().connection().close(); // a reset would not call the end handlers
                }
            });
            // Or the timer would retain the request until it fires: thousands a second in a flash sale.
            request.addEndHandler(_ -> request.vertx().cancelTimer(timer));
        }
    }

    /** By the bytes as well: a request that was read but is left paused is not reported as ended. */
    private static boolean isFullyReceived(RoutingContext request) {
        var length = EarlyRejection.contentLength(request);
        return request.request().isEnded() || length >= 0 && request.request().bytesRead() >= length;
    }
}
