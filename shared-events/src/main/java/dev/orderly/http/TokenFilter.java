package dev.orderly.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Denies by default: a request without a token goes no further than its head, on whatever path, unless the
 * service lists the path as open to anyone. So those who may do nothing occupy nothing. Which roles a token
 * needs, the endpoints say.
 */
@ApplicationScoped
class TokenFilter {

    private static final String HOW_TO_GET_ONE = " Tokens are issued by the identity provider; where ./orderly has"
            + " started it, ./orderly token NAME prints one.";

    static final String REQUIRED = "A bearer token is required." + HOW_TO_GET_ONE;
    static final String INVALID =
            "The token is not valid here: expired, not for this audience, or not signed by its issuer."
                    + HOW_TO_GET_ONE;

    private final List<Pattern> anonymous;

    /** @param anonymous such as {@code GET /products/*}, where * is one segment */
    TokenFilter(@ConfigProperty(name = "orderly.http.anonymous") Optional<List<String>> anonymous) {
        this.anonymous = anonymous.stream()
                .flatMap(List::stream)
                .map(entry -> Pattern.compile(Stream.of(entry.split("\\*", -1))
                        .map(Pattern::quote)
                        .reduce((before, after) -> before + "[^/]+" + after)
                        .orElseThrow()))
                .toList();
    }

    void install(@Observes Filters filters) {
        filters.register(this::requireToken, EarlyRejection.TOKEN);
    }

    void requireToken(RoutingContext request) {
        if (hasToken(request) || isOpen(request)) {
            request.next();
        } else {
            request.response().putHeader("WWW-Authenticate", "Bearer");
            EarlyRejection.reject(request, 401, REQUIRED);
        }
    }

    private static boolean hasToken(RoutingContext request) {
        return request.user() instanceof QuarkusHttpUser user
                && !user.getSecurityIdentity().isAnonymous();
    }

    private boolean isOpen(RoutingContext request) {
        var path = request.normalizedPath();
        var method = request.request().method() == HttpMethod.HEAD
                ? HttpMethod.GET
                : request.request().method();
        return anonymous.stream()
                .anyMatch(open -> open.matcher(method + " " + path).matches());
    }
}
