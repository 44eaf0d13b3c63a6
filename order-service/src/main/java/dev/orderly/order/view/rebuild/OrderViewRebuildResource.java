package dev.orderly.order.view.rebuild;

import dev.orderly.http.Problems;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.jboss.resteasy.reactive.ResponseStatus;

/** For operators: rebuilds the read model from the topic. */
@Path("/order-view/rebuild")
class OrderViewRebuildResource {

    private final OrderViewRebuild rebuild;

    OrderViewRebuildResource(OrderViewRebuild rebuild) {
        this.rebuild = rebuild;
    }

    @GET
    @Operation(summary = "The progress of this instance's last rebuild")
    public OrderViewRebuild.RebuildStatus status() {
        return rebuild.status();
    }

    @POST
    @ResponseStatus(202)
    @Operation(summary = "Rebuild the view of orders from the topic, while the old one is served and kept up to date")
    public OrderViewRebuild.RebuildStatus start() {
        if (!rebuild.start()) {
            throw Problems.conflict("A rebuild is under way.");
        }
        return rebuild.status();
    }
}
