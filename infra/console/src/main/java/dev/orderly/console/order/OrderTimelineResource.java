package dev.orderly.console.order;

import io.quarkus.oidc.AccessTokenCredential;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.UUID;

/** One order's life. Whose order it is, order-service decides. */
@Path("/api/order-timelines/{id}")
class OrderTimelineResource {

    private final OrderTimeline timelines;
    private final AccessTokenCredential token;

    OrderTimelineResource(OrderTimeline timelines, AccessTokenCredential token) {
        this.timelines = timelines;
        this.token = token;
    }

    @GET
    @Produces(MediaType.APPLICATION_JSON)
    @RolesAllowed({"customer", "clerk", "operator"})
    public OrderTimeline.Timeline get(@PathParam("id") UUID id) {
        return timelines.of(id, token.getToken());
    }
}
