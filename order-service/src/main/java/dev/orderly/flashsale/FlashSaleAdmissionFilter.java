package dev.orderly.flashsale;

import dev.orderly.flashsale.FlashSaleQueue.Rejection;
import dev.orderly.http.ConcurrencyLimiter;
import dev.orderly.http.EarlyRejection;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.regex.Pattern;

/**
 * Admission control: of forty-one buyers forty get nothing, so those who could not be served are rejected by
 * the head of their request, before its body is read or validated. Admitted requests go on to
 * {@link FlashSaleResource#buy}.
 */
@ApplicationScoped
class FlashSaleAdmissionFilter {

    private static final Pattern PURCHASE = Pattern.compile("/flash-sales/([^/]+)/orders/?");

    private final FlashSaleQueue queue;

    FlashSaleAdmissionFilter(FlashSaleQueue queue) {
        this.queue = queue;
    }

    void install(@Observes Filters filters) {
        filters.register(this::filter, EarlyRejection.HEAD);
    }

    private void filter(RoutingContext request) {
        var purchase = PURCHASE.matcher(request.normalizedPath());
        if (request.request().method() == HttpMethod.POST && purchase.matches()) {
            ConcurrencyLimiter.exempt(request);
            queue.checkAdmission(purchase.group(1))
                    .ifPresentOrElse(rejection -> reject(request, rejection), request::next);
        } else {
            request.next();
        }
    }

    private static void reject(RoutingContext request, Rejection rejection) {
        if (rejection.retryAfter() == null) {
            EarlyRejection.reject(request, rejection.status(), rejection.detail());
        } else {
            EarlyRejection.reject(
                    request,
                    rejection.status(),
                    rejection.detail(),
                    rejection.retryAfter().toSeconds());
        }
    }
}
