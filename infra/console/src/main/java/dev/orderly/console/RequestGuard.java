package dev.orderly.console;

import dev.orderly.console.config.ConsoleConfig;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Set;

/**
 * Requests come from the console's own page. A browser adds a cookie to a request of any page; a header of
 * its own only a script of this origin can add, since no other may (CORS is off). And a page of another site
 * whose name is made to lead here (DNS rebinding) is of this origin to its browser, but says that name.
 */
@ApplicationScoped
class RequestGuard {

    private static final String HEADER = "X-Requested-By";
    private static final String PAGE = "console";
    private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    /** Before authentication (200) and everything behind it. */
    private static final int FIRST = 1_000;

    private final List<String> hosts;

    RequestGuard(ConsoleConfig config) {
        this.hosts = config.hosts().orElse(List.of());
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, FIRST);
    }

    private void check(RoutingContext context) {
        var request = context.request();
        if (!isOwn(request.authority())) {
            answer(context, 421, "Misdirected Request", "The console has no such name; CONSOLE_HOSTS gives it more.");
        } else if (SAFE.contains(request.method()) || PAGE.equals(request.getHeader(HEADER))) {
            context.next();
        } else {
            answer(context, 403, "Forbidden", "Requests that change something have the header " + HEADER + ".");
        }
    }

    /** No site has an address, or a name without a dot, for its name. */
    private boolean isOwn(HostAndPort authority) {
        if (authority == null) {
            return true; // HTTP/1.0, which no browser speaks
        }
        var host = authority.host();
        return !host.contains(".") || host.matches("[0-9.]+") || hosts.contains(host);
    }

    /** A problem document (RFC 9457), where no resource answers. */
    static void answer(RoutingContext context, int status, String title, String detail) {
        context.response()
                .setStatusCode(status)
                .putHeader("Content-Type", "application/problem+json")
                .end(new JsonObject()
                        .put("type", "about:blank")
                        .put("title", title)
                        .put("status", status)
                        .put("detail", detail)
                        .encode());
    }
}
