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
 * Load shedding: rejects commands early and at hardly any cost, while as many are in flight as the service
 * can work on. Without it an overload outlives its cause: clients time out and retry, and the work for
 * requests that were given up takes the capacity of those that were not (Bronson et al., "Metastable Failures
 * in Distributed Systems", HotOS 2021). Queries are not counted: those that wait, wait for an event and hold
 * no thread.
 */
@ApplicationScoped
class ConcurrencyLimiter {

    /** Those of RFC 9110, 9.2.1, that Orderly has. */
    private static final Set<HttpMethod> SAFE_METHODS = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    private final int maxConcurrentCommands;
    private final List<String> exemptPaths;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Counter rejected;

    /** @param exemptPaths of resources with a limit of their own, including all paths below them */
    ConcurrencyLimiter(
            @ConfigProperty(name = "orderly.http.max-concurrent-commands") int maxConcurrentCommands,
            @ConfigProperty(name = "orderly.http.self-limiting-paths") Optional<List<String>> exemptPaths,
            MeterRegistry metrics) {
        this.maxConcurrentCommands = maxConcurrentCommands;
        this.exemptPaths = exemptPaths.orElse(List.of()).stream()
                .map(ConcurrencyLimiter::withSlash)
                .toList();
        this.rejected = metrics.counter("orderly.http.rejected");
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST);
    }

    void admit(RoutingContext request) {
        if (SAFE_METHODS.contains(request.request().method()) || isExempt(request)) {
            request.next();
        } else if (inFlight.incrementAndGet() <= maxConcurrentCommands) {
            request.addEndHandler(_ -> inFlight.decrementAndGet()); // also when the client disconnects
            request.next();
        } else {
            inFlight.decrementAndGet();
            rejected.increment();
            EarlyRejection.reject(
                    request,
                    503,
                    "Too many requests are under way. Nothing was changed; try again.",
                    Problems.RETRY_AFTER_SECONDS);
        }
    }

    /** By the normalized path, which the router uses: else {@code /exempt/../path} would bypass the limit. */
    private boolean isExempt(RoutingContext request) {
        var path = withSlash(request.normalizedPath());
        return exemptPaths.stream().anyMatch(path::startsWith);
    }

    private static String withSlash(String path) {
        return path.endsWith("/") ? path : path + "/";
    }
}
