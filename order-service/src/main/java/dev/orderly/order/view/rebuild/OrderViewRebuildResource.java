package dev.orderly.order.view.rebuild;

import dev.orderly.database.Atomic;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.Problems;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.jboss.resteasy.reactive.ResponseStatus;

/** For operators: rebuilds the read model from the topic. */
@Path("/order-view/rebuild")
@RolesAllowed(Caller.OPERATOR)
class OrderViewRebuildResource {

    private final OrderViewRebuild rebuild;
    private final CommandAudit audit;

    OrderViewRebuildResource(OrderViewRebuild rebuild, CommandAudit audit) {
        this.rebuild = rebuild;
        this.audit = audit;
    }

    @GET
    @Operation(summary = "The progress of this instance's last rebuild")
    public OrderViewRebuild.RebuildStatus status() {
        return rebuild.status();
    }

    @POST
    @ResponseStatus(202)
    @Atomic
    @Operation(summary = "Rebuild the view of orders from the topic, while the old one is served and kept up to date")
    public OrderViewRebuild.RebuildStatus start() {
        audit.add("rebuild", "order view");
        if (!rebuild.start()) {
            throw Problems.conflict("A rebuild is in progress.");
        }
        return rebuild.status();
    }
}
