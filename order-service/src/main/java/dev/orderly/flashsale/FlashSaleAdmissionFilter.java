package dev.orderly.flashsale;

import dev.orderly.flashsale.FlashSaleQueue.Refusal;
import dev.orderly.http.EarlyRejection;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.regex.Pattern;

/**
 * Sends away those of a crowd who would get nothing, for forty of forty-one get nothing: by the head of their request, before
 * anything of it is read or checked. Who is let in comes to {@link FlashSaleResource#buy}.
 */
@ApplicationScoped
class FlashSaleAdmissionFilter {

    private static final Pattern PURCHASE = Pattern.compile("/flash-sales/([^/]+)/orders/?");

    private final FlashSaleQueue intake;

    FlashSaleAdmissionFilter(FlashSaleQueue intake) {
        this.intake = intake;
    }

    void install(@Observes Filters filters) {
        filters.register(this::admit, EarlyRejection.FIRST + 2); // before a timer is set for the body
    }

    private void admit(RoutingContext request) {
        var purchase = PURCHASE.matcher(request.normalizedPath());
        if (request.request().method() == HttpMethod.POST && purchase.matches()) {
            intake.knock(purchase.group(1)).ifPresentOrElse(refusal -> refuse(request, refusal), request::next);
        } else {
            request.next();
        }
    }

    private static void refuse(RoutingContext request, Refusal refusal) {
        if (refusal.retryAfter() == null) {
            EarlyRejection.refuse(request, refusal.status(), refusal.title(), refusal.detail());
        } else {
            EarlyRejection.refuse(request, refusal.status(), refusal.title(), refusal.detail(), (int)
                    refusal.retryAfter().toSeconds());
        }
    }
}
