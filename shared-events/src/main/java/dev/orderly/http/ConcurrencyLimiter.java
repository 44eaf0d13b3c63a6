package dev.orderly.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Turns commands away, at the door and at hardly any cost, while so many are under way that one more could only wait.
 * Without it an overload outlives its cause: callers that wait give up and ask again, and the work for those who have left
 * takes the time of those who have not (Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021).
 * Questions are not counted: those that wait, wait for an event and hold no thread.
 */
@ApplicationScoped
class ConcurrencyLimiter {

    private static final Set<HttpMethod> QUESTIONS = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    private final int most;
    private final List<String> exempt;
    private final AtomicInteger underWay = new AtomicInteger();
    private final Counter turnedAway;

    /** @param exempt paths of what limits itself, with all that is below them */
    ConcurrencyLimiter(
            @ConfigProperty(name = "orderly.http.most-commands-under-way") int most,
            @ConfigProperty(name = "orderly.http.self-limiting-paths") Optional<List<String>> exempt,
            MeterRegistry metrics) {
        this.most = most;
        this.exempt = exempt.orElse(List.of()).stream()
                .map(ConcurrencyLimiter::withSlash)
                .toList();
        this.turnedAway = metrics.counter("orderly.http.turned.away");
    }

    /** By the path that the routing goes by: else a detour through what is exempt would lead past the limit. */
    private boolean limitsItself(RoutingContext request) {
        var path = withSlash(request.normalizedPath());
        return exempt.stream().anyMatch(path::startsWith);
    }

    private static String withSlash(String path) {
        return path.endsWith("/") ? path : path + "/";
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST);
    }

    void admit(RoutingContext request) {
        if (QUESTIONS.contains(request.request().method()) || limitsItself(request)) {
            request.next();
        } else if (underWay.incrementAndGet() <= most) {
            request.addEndHandler(_ -> underWay.decrementAndGet()); // also when the caller hangs up
            request.next();
        } else {
            underWay.decrementAndGet();
            turnedAway.increment();
            EarlyRejection.refuse(
                    request,
                    503,
                    "Service Unavailable",
                    "Too many requests are under way. Nothing was changed; try again.",
                    Problems.RETRY_AFTER_SECONDS);
        }
    }
}
