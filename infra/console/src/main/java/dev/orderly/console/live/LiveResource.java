package dev.orderly.console.live;

import dev.orderly.console.config.Problem;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.mutiny.Multi;
import jakarta.annotation.security.RolesAllowed;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;

/** What pages follow. */
@Path("/api")
class LiveResource {

    private final Pages pages;
    private final LagHistory history;
    private final SecurityIdentity identity;

    LiveResource(Pages pages, LagHistory history, SecurityIdentity identity) {
        this.pages = pages;
        this.history = history;
        this.identity = identity;
    }

    /** The one stream of a page: events of orders, a customer's own or all; for operators, the system. */
    @GET
    @Path("/events")
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @RolesAllowed({"customer", "clerk", "operator"})
    public Multi<OutboundSseEvent> events(@Context Sse sse) {
        var person = identity.getPrincipal().getName();
        if (!pages.haveRoomFor(person)) {
            throw Problem.of(503, "Too many pages are open.");
        }
        boolean operator = identity.hasRole("operator");
        return pages.open(person, operator, operator || identity.hasRole("clerk"))
                .map(message -> event(sse, message));
    }

    private static OutboundSseEvent event(Sse sse, Pages.Message message) {
        return message.name() == null
                ? sse.newEventBuilder().comment("").build()
                : sse.newEventBuilder()
                        .name(message.name())
                        .mediaType(MediaType.TEXT_PLAIN_TYPE)
                        .data(message.data())
                        .build();
    }

    /** The lag of each group in the last 15 minutes. */
    @GET
    @Path("/lag/history")
    @Produces(MediaType.APPLICATION_JSON)
    @RolesAllowed("operator")
    public LagHistory.History history() {
        return history.history();
    }
}
