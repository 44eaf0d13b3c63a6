package dev.orderly.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Load shedding: rejects commands early and at hardly any cost, while as many are in flight as the service
 * can work on. Without it an overload outlives its cause: clients time out and retry, and the work for
 * requests that were given up takes the capacity of those that were not (Bronson et al., "Metastable Failures
 * in Distributed Systems", HotOS 2021). A command counts from when its body has arrived: a slow sender must
 * not take the place of others. Queries are not counted: those that wait, wait for an event and hold no
 * thread.
 */
@ApplicationScoped
public class ConcurrencyLimiter {

    /** Those of RFC 9110, 9.2.1, that Orderly has. */
    private static final Set<HttpMethod> SAFE_METHODS = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    private static final String EXEMPT = ConcurrencyLimiter.class.getName();

    private final int maxConcurrentCommands;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Counter rejected;

    ConcurrencyLimiter(
            @ConfigProperty(name = "orderly.http.max-concurrent-commands") int maxConcurrentCommands,
            MeterRegistry metrics) {
        this.maxConcurrentCommands = maxConcurrentCommands;
        this.rejected = metrics.counter("orderly.http.rejected");
        Capacity.register(metrics, "commands", () -> inFlight.doubleValue() / maxConcurrentCommands);
    }

    /** For a filter that has a limit of its own for a request; to be called before {@code ADMISSION}. */
    public static void exempt(RoutingContext request) {
        request.put(EXEMPT, true);
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.ADMISSION);
    }

    void admit(RoutingContext request) {
        if (SAFE_METHODS.contains(request.request().method()) || request.get(EXEMPT) != null) {
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
                    "Too many requests are in progress. Nothing was changed; try again.",
                    Problems.RETRY_AFTER_SECONDS);
        }
    }
}
