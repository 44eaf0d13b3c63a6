package dev.orderly.flashsale;

import dev.orderly.events.OrderEvent.Line;
import dev.orderly.flashsale.FlashSaleQueue.Refusal;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.smallrye.common.annotation.NonBlocking;
import io.smallrye.mutiny.Uni;
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

/** Flash sales: few units, many buyers, one to each; most of whom get no further than {@link FlashSaleAdmissionFilter}. */
@Path("/flash-sales")
public class FlashSaleResource {

    private static final String ID = "[a-z0-9][a-z0-9-]{0,63}";
    private static final String ID_MESSAGE = "must be 1 to 64 lower-case letters, digits and hyphens";

    // Of the times that PostgreSQL can keep, those that can be meant.
    private static final Instant EARLIEST = Instant.parse("2000-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

    private final FlashSales sales;
    private final FlashSaleQueue intake;

    FlashSaleResource(FlashSales sales, FlashSaleQueue intake) {
        this.sales = sales;
        this.intake = intake;
    }

    /** A sale as it is announced; the product must be in the catalogue and in stock by then. */
    public record Announcement(
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

    public record Buyer(@NotNull(message = "is required") UUID customerId) {}

    @PUT
    @Path("/{id}")
    @Operation(summary = "For operators: announce a sale")
    @APIResponse(responseCode = "409", description = "There is another sale of this id")
    public FlashSaleDocument announce(
            @PathParam("id") @Pattern(regexp = ID, message = ID_MESSAGE) String id,
            @NotNull(message = "a body is required") @Valid Announcement announcement)
            throws SQLException {
        var opensAt = storable("opensAt", announcement.opensAt());
        var closesAt = storable("closesAt", announcement.closesAt());
        if (!closesAt.isAfter(opensAt)) {
            throw refused("closesAt", "must be after opensAt");
        }
        var sale = new FlashSale(id, announcement.sku(), announcement.units(), opensAt, closesAt, 0, 0);
        if (!sales.announce(sale)) {
            throw problem(409, "Conflict", "There is another sale " + id + ".").build();
        }
        return FlashSaleDocument.of(sales.remembered(id).orElse(sale));
    }

    /** To the microsecond: what is shorter is nothing to PostgreSQL, and a sale that lasts no time is none. */
    private static Instant storable(String field, Instant time) {
        if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
            throw refused(field, "must be between " + EARLIEST + " and " + LATEST);
        }
        return time.truncatedTo(ChronoUnit.MICROS);
    }

    @GET
    @Path("/{id}")
    @Operation(summary = "A sale and what is left, as of a moment ago")
    @NonBlocking
    public FlashSaleDocument get(@PathParam("id") String id) {
        return sales.remembered(id).map(FlashSaleDocument::of).orElseThrow(() -> unknown(id));
    }

    @POST
    @Path("/{id}/orders")
    @Operation(
            summary = "Buy one unit",
            description = "Accepted means durable, and in line. May be repeated: a customer is in line once.")
    @APIResponse(responseCode = "202", description = "In line; Location tells what becomes of it")
    @APIResponse(responseCode = "404", description = "There is no such sale")
    @APIResponse(responseCode = "409", description = "Not open")
    @APIResponse(responseCode = "410", description = "Sold out")
    @APIResponse(
            responseCode = "429",
            description = "There are as many in line as there is left: try again after Retry-After")
    @NonBlocking
    public Uni<Response> buy(
            @PathParam("id") String id,
            @NotNull(message = "a body is required") @Valid Buyer buyer,
            @Context UriInfo uri) {
        var here = uri.getAbsolutePath(); // now: there is no request any more when a caller has hung up by then
        return intake.buy(id, buyer.customerId())
                .onFailure()
                .transform(_ -> problem(503, "Service Unavailable", "You may be in line or not; ask again.")
                        .withHeader("Retry-After", 1)
                        .build())
                .map(refusal -> {
                    if (refusal.isPresent()) {
                        throw problem(refusal.get());
                    }
                    return Response.accepted()
                            .location(URI.create(here + "/" + buyer.customerId()))
                            .build();
                });
    }

    /** @param orderId to be followed at /orders, when there is one */
    public record TicketDocument(FlashSale.Outcome outcome, UUID orderId) {}

    @GET
    @Path("/{id}/orders/{customerId}")
    @Operation(summary = "What came of a customer's wish")
    @APIResponse(responseCode = "404", description = "Nothing is decided: they wait in line, or never were there")
    public TicketDocument ticket(
            @PathParam("id") @Pattern(regexp = ID, message = ID_MESSAGE) String id,
            @PathParam("customerId") UUID customerId)
            throws SQLException {
        return sales.ticket(id, customerId)
                .map(ticket -> new TicketDocument(ticket.outcome(), ticket.orderId()))
                .orElseThrow(
                        () -> problem(404, "Not Found", "Nothing is decided for this customer; who is in line waits.")
                                .build());
    }

    private static HttpProblem refused(String field, String message) {
        return problem(400, "Bad Request", message).with("field", field).build();
    }

    private static HttpProblem unknown(String id) {
        return problem(404, "Not Found", "There is no flash sale of this id.").build();
    }

    private static HttpProblem problem(Refusal refusal) {
        var problem = problem(refusal.status(), refusal.title(), refusal.detail());
        if (refusal.retryAfter() != null) {
            problem.withHeader("Retry-After", refusal.retryAfter().toSeconds());
        }
        return problem.build();
    }

    private static HttpProblem.Builder problem(int status, String title, String detail) {
        return HttpProblem.builder().withStatus(status).withTitle(title).withDetail(detail);
    }
}
