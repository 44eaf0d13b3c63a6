package dev.orderly.console;

import dev.orderly.console.config.ConsoleConfig;
import io.quarkus.oidc.AccessTokenCredential;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.vertx.http.runtime.security.QuarkusHttpUser;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.httpproxy.HttpProxy;
import io.vertx.httpproxy.ProxyContext;
import io.vertx.httpproxy.ProxyInterceptor;
import io.vertx.httpproxy.ProxyResponse;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.net.URI;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.Logger;

/**
 * The services' interfaces under {@code /api/orders}, {@code /api/inventory} and so on, with the token of the
 * session: the page has none, and each service decides by itself who may do what. Bodies, streams of events
 * among them, pass through as they come.
 */
@ApplicationScoped
class ServiceProxy {

    private static final Logger LOG = Logger.getLogger(ServiceProxy.class);

    private static final int CONNECT_TIMEOUT_MILLIS = 2_000;
    /** Longer than the longest silence: a wait for an order takes up to 70 s. */
    private static final int IDLE_SECONDS = 90;
    /** To one service: pages that stream, and what else they ask for. */
    private static final int MAX_CONNECTIONS = 200;

    private final Vertx vertx;
    private final ConsoleConfig config;

    ServiceProxy(Vertx vertx, ConsoleConfig config) {
        this.vertx = vertx;
        this.config = config;
    }

    void register(@Observes Router router) {
        var client = vertx.createHttpClient(new HttpClientOptions()
                .setConnectTimeout(CONNECT_TIMEOUT_MILLIS)
                .setIdleTimeout(IDLE_SECONDS)
                .setMaxPoolSize(MAX_CONNECTIONS));
        config.services().forEach((name, service) -> {
            var prefix = "/api/" + name;
            var proxy = HttpProxy.reverseProxy(client)
                    .origin(port(service), service.getHost())
                    .addInterceptor(new Below(prefix));
            router.route(prefix + "/*").handler(context -> forward(context, proxy));
        });
    }

    /** Of the few orders of a visitor, each has a trace that its page can link to. */
    private void sample(HttpServerRequest request) {
        if (config.traces().isPresent() && request.method() == HttpMethod.POST) {
            var random = ThreadLocalRandom.current();
            request.headers()
                    .set(
                            "traceparent",
                            "00-%016x%016x-%016x-01"
                                    .formatted(random.nextLong(), random.nextLong(), random.nextLong()));
        }
    }

    private static int port(URI service) {
        return service.getPort() == -1 ? 80 : service.getPort();
    }

    private void forward(RoutingContext context, HttpProxy proxy) {
        var request = context.request();
        request.pause(); // until it is known who sends it
        QuarkusHttpUser.getSecurityIdentity(context, null)
                .subscribe()
                .with(
                        identity -> {
                            request.headers().remove("Cookie").remove("Authorization");
                            if (!identity.isAnonymous()) {
                                request.headers().set("Authorization", "Bearer " + token(identity));
                            }
                            sample(request);
                            proxy.handle(request);
                        },
                        failure -> {
                            LOG.debugf(failure, "a session that is not valid any more");
                            request.resume();
                            RequestGuard.answer(context, 401, "Unauthorized", "Log in first.");
                        });
    }

    private static String token(SecurityIdentity identity) {
        return identity.getCredential(AccessTokenCredential.class).getToken();
    }

    /** Paths begin with the prefix on this side alone. */
    private record Below(String prefix) implements ProxyInterceptor {

        @Override
        public Future<ProxyResponse> handleProxyRequest(ProxyContext context) {
            var request = context.request();
            request.setURI(request.getURI().substring(prefix.length()));
            return context.sendRequest();
        }

        @Override
        public Future<Void> handleProxyResponse(ProxyContext context) {
            var headers = context.response().headers();
            var location = headers.get("Location");
            if (location != null && location.startsWith("/")) {
                headers.set("Location", prefix + location);
            }
            return context.sendResponse();
        }
    }
}
