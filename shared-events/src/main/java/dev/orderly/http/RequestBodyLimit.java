package dev.orderly.http;

import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * A body that is announced as too long is refused before it comes, and by a problem: Quarkus would only give the number. One
 * that does not come in time is not waited for: while it is, its sender holds a place among the commands under way.
 */
@ApplicationScoped
class RequestBodyLimit {

    private final long mostBytes;
    private final Duration longest;

    RequestBodyLimit(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize most,
            @ConfigProperty(name = "orderly.http.longest-body") Duration longest) {
        this.mostBytes = most.asLongValue();
        this.longest = longest;
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST + 1); // who is refused for this takes nobody's place
    }

    private void admit(RoutingContext request) {
        if (EarlyRejection.length(request) > mostBytes) {
            EarlyRejection.refuse(
                    request, 413, "Content Too Large", "The body must not be longer than " + mostBytes + " bytes.");
        } else {
            hurry(request);
            request.next();
        }
    }

    private void hurry(RoutingContext request) {
        if (EarlyRejection.hasBody(request)) {
            var timer = request.vertx().setTimer(longest.toMillis(), _ -> {
                if (!hasCome(request)) {
                    request.request().connection().close(); // not a reset, after which nobody hears that it has ended
                }
            });
            // Else it keeps the whole request for so long: thousands a second, in a flash sale.
            request.addEndHandler(_ -> request.vertx().cancelTimer(timer));
        }
    }

    /** Also when who has read it all has left it paused, and then it is not called ended. */
    private static boolean hasCome(RoutingContext request) {
        var length = EarlyRejection.length(request);
        return request.request().isEnded() || length >= 0 && request.request().bytesRead() >= length;
    }
}
