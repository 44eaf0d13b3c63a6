package dev.orderly.flashsale;

import dev.orderly.database.Atomic;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.flashsale.FlashSaleQueue.Rejection;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.Problems;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import java.net.URI;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Flash sales; {@link FlashSaleAdmissionFilter} rejects most purchases before they come here. */
@Path("/flash-sales")
public class FlashSaleResource {

    private static final String ID_MESSAGE = "must be 1 to 64 lower-case letters, digits and hyphens";

    // PostgreSQL keeps more, but no sale is meant to be outside of these.
    private static final Instant EARLIEST = Instant.parse("2000-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

    private final FlashSales sales;
    private final FlashSaleQueue queue;
    private final Caller caller;
    private final CommandAudit audit;

    FlashSaleResource(FlashSales sales, FlashSaleQueue queue, Caller caller, CommandAudit audit) {
        this.sales = sales;
        this.queue = queue;
        this.caller = caller;
        this.audit = audit;
    }

    /** The product must be in the catalogue and in stock when the sale opens. */
    public record AnnouncementRequest(
            @NotNull @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE)
            String sku,

            @NotNull
            @Min(value = 1, message = "must be at least 1")
            @Max(value = 1_000_000, message = "must be at most 1000000")
            Integer units,

            @NotNull Instant opensAt,
            @NotNull Instant closesAt) {}

    public record FlashSaleDocument(String id, String sku, int units, int left, Instant opensAt, Instant closesAt) {
        static FlashSaleDocument of(FlashSale sale) {
            return new FlashSaleDocument(
                    sale.id(), sale.sku(), sale.units(), sale.left(), sale.opensAt(), sale.closesAt());
        }
    }

    public record PurchaseRequest(
            @NotNull(message = "is required") UUID customerId) {}

    @PUT
    @Path("/{id}")
    @RolesAllowed(Caller.CLERK)
    @Operation(summary = "Announce a sale")
    @APIResponse(responseCode = "409", description = "There is another sale of this id, or too many sales")
    @Atomic
    public FlashSaleDocument announce(
            @PathParam("id") @Pattern(regexp = FlashSale.ID_FORM, message = ID_MESSAGE) String id,
            @NotNull(message = "a body is required") @Valid AnnouncementRequest announcement)
            throws SQLException {
        var opensAt = storable("opensAt", announcement.opensAt());
        var closesAt = storable("closesAt", announcement.closesAt());
        if (!closesAt.isAfter(opensAt)) {
            throw Problems.badRequest("closesAt", "must be after opensAt");
        }
        var sale = new FlashSale(id, announcement.sku(), announcement.units(), opensAt, closesAt, 0, 0);
        return switch (sales.announce(sale)) {
            case ANNOUNCED -> {
                audit.add("announce a sale of " + announcement.units() + " " + announcement.sku(), "flash sale " + id);
                yield FlashSaleDocument.of(sale);
            }
            case KNOWN -> FlashSaleDocument.of(sales.cached(id).orElse(sale));
            case ID_TAKEN -> throw Problems.conflict("There is another sale " + id + ".");
            case TOO_MANY ->
                throw Problems.conflict("There are " + FlashSales.MAX_SALES + " sales, the maximum, already.");
        };
    }

    /** To the microsecond, as PostgreSQL keeps it: a sale must not be shorter than that. */
    private static Instant storable(String field, Instant time) {
        if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
            throw Problems.badRequest(field, "must be between " + EARLIEST + " and " + LATEST);
        }
        return time.truncatedTo(ChronoUnit.MICROS);
    }

    @GET
    @Path("/{id}")
    @PermitAll
    @Operation(summary = "A sale and what is left, up to a second stale")
    @NonBlocking
    public FlashSaleDocument get(@PathParam("id") String id) {
        return sales.cached(id)
                .map(FlashSaleDocument::of)
                .orElseThrow(() -> Problems.notFound("There is no flash sale of this id."));
    }

    @POST
    @Path("/{id}/orders")
    @RolesAllowed(Caller.CUSTOMER)
    @Operation(
            summary = "Buy one unit",
            description = "Accepted means durable, and queued. May be repeated: a customer gets one ticket.")
    @APIResponse(responseCode = "202", description = "Queued; Location is the ticket, once it is decided")
    @APIResponse(responseCode = "404", description = "There is no such sale")
    @APIResponse(responseCode = "409", description = "Not open")
    @APIResponse(responseCode = "410", description = "Sold out")
    @APIResponse(
            responseCode = "429",
            description = "As many buyers are queued as units are left: try again after Retry-After")
    @NonBlocking
    public Uni<Response> buy(
            @PathParam("id") String id,
            @NotNull(message = "a body is required") @Valid PurchaseRequest purchase,
            @Context UriInfo uri) {
        caller.requireCustomer(purchase.customerId());
        var here = uri.getAbsolutePath(); // now: the request scope ends when the caller hangs up
        return queue.add(id, purchase.customerId())
                .onFailure()
                .transform(_ -> Problems.unavailable("You may be queued or not; ask again."))
                .map(rejection -> {
                    if (rejection.isPresent()) {
                        throw problem(rejection.get());
                    }
                    return Response.accepted()
                            .location(URI.create(here + "/" + purchase.customerId()))
                            .build();
                });
    }

    /** @param orderId of the order at /orders, or null */
    public record TicketDocument(FlashSale.TicketOutcome outcome, UUID orderId) {}

    @GET
    @Path("/{id}/orders/{customerId}")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "The outcome for a customer")
    @APIResponse(responseCode = "404", description = "Not decided: the customer is queued, or never was")
    public TicketDocument ticket(
            @PathParam("id") @Pattern(regexp = FlashSale.ID_FORM, message = ID_MESSAGE) String id,
            @PathParam("customerId") UUID customerId)
            throws SQLException {
        return sales.ticket(id, customerId)
                .filter(_ -> caller.maySee(customerId))
                .map(ticket -> new TicketDocument(ticket.outcome(), ticket.orderId()))
                .orElseThrow(() -> Problems.notFound("Nothing is decided for this customer; who is queued waits."));
    }

    private static HttpProblem problem(Rejection rejection) {
        var problem = Problems.problem(rejection.status(), rejection.detail());
        if (rejection.retryAfter() != null) {
            problem.withHeader("Retry-After", rejection.retryAfter().toSeconds());
        }
        return problem.build();
    }
}
