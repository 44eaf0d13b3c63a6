package dev.orderly.console;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.Cookie;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.net.URLEncoder;
import java.util.Objects;

/**
 * {@code GET /login?person=bob}: ends the session, if there is one, and begins a login, in which the
 * provider's page proposes bob. Without it, who is logged in would be sent back as the person they are.
 */
@ApplicationScoped
class PersonSwitch {

    private static final String SESSION_COOKIE = "q_session";
    /** After the guard, and before authentication (200). */
    private static final int SECOND = 900;

    void register(@Observes Filters filters) {
        filters.register(PersonSwitch::change, SECOND);
    }

    private static void change(RoutingContext context) {
        var person = context.request().getParam("person");
        if (!context.request().path().equals("/login") || person == null) {
            context.next();
            return;
        }
        for (var cookie : context.request().cookies()) {
            if (cookie.getName().startsWith(SESSION_COOKIE)) {
                context.response()
                        .addCookie(
                                Cookie.cookie(cookie.getName(), "").setPath("/").setMaxAge(0));
            }
        }
        var next = Objects.requireNonNullElse(context.request().getParam("next"), "");
        context.response()
                .setStatusCode(303)
                .putHeader("Location", "/login?next=" + encoded(next) + "&login_hint=" + encoded(person))
                .end();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8);
    }
}
