package dev.orderly.console;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Set;

/**
 * Requests that change something come from the page itself. A browser adds a cookie to a request of any page;
 * a header of its own only a script of this origin can add, since no other may (CORS is off).
 */
@ApplicationScoped
class RequestGuard {

    private static final String HEADER = "X-Requested-By";
    private static final String PAGE = "console";
    private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD);
    /** Before authentication (200) and everything behind it. */
    private static final int FIRST = 1_000;

    void register(@Observes Filters filters) {
        filters.register(RequestGuard::check, FIRST);
    }

    private static void check(RoutingContext context) {
        var request = context.request();
        if (SAFE.contains(request.method()) || PAGE.equals(request.getHeader(HEADER))) {
            context.next();
        } else {
            answer(context, 403, "Forbidden", "Requests that change something have the header " + HEADER + ".");
        }
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
