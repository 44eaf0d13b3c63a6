package dev.orderly.inventory;

import dev.orderly.database.Atomic;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.http.Problems;
import dev.orderly.inventory.Restock.Kind;
import dev.orderly.inventory.Restocks.Made;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.EntityTag;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Request;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Shows the stock of each SKU, and restocks it. */
@Path("/stock")
public class StockResource {

    private static final long MAX_AVAILABLE = 1_000_000_000;
    private static final int MAX_PAGE = 1000;

    private final Stocks stocks;
    private final Restocks restocks;
    private final CommandAudit audit;

    StockResource(Stocks stocks, Restocks restocks, CommandAudit audit) {
        this.stocks = stocks;
        this.restocks = restocks;
        this.audit = audit;
    }

    public record CountRequest(
            @NotNull @Min(0) @Max(MAX_AVAILABLE) Long available) {}

    public record DeliveryRequest(
            @NotNull @Min(1) @Max(MAX_AVAILABLE) Long quantity) {}

    @GET
    @RolesAllowed({Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "The stock of all SKUs, in their order")
    public List<Stock> list(
            @QueryParam("after")
                    @DefaultValue("")
                    @Pattern(regexp = Line.SKU + "|", message = Line.SKU_MESSAGE)
                    @Parameter(description = "the last SKU of the page before")
                    String after,
            @QueryParam("limit") @DefaultValue("" + MAX_PAGE) @Min(1) @Max(MAX_PAGE) int limit)
            throws SQLException {
        return stocks.page(after, limit);
    }

    @GET
    @Path("/{sku}")
    @RolesAllowed({Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "The stock of one SKU")
    @APIResponse(responseCode = "200")
    @APIResponse(responseCode = "404", description = "There is no such SKU")
    public Response get(@PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku)
            throws SQLException {
        return answer(200, stocks.find(sku).orElseThrow(() -> Problems.notFound("There is no stock of " + sku + ".")));
    }

    @PUT
    @Path("/{sku}")
    @RolesAllowed(Caller.CLERK)
    @Operation(
            summary = "Set how many of a SKU are available, by a count",
            description = "Of a new SKU, too. What is reserved and sold stays as it is. What was sold since the count"
                    + " is available again, unless If-Match names the ETag that the count began with. A request that"
                    + " is repeated with its Idempotency-Key changes nothing; without one, it sets the same again.")
    @APIResponse(responseCode = "200")
    @APIResponse(responseCode = "412", description = "The stock is not as If-Match says")
    @APIResponse(responseCode = "422", description = "The Idempotency-Key was used for another change")
    @Atomic
    public Response put(
            @PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku,
            @HeaderParam(IdempotencyKey.HEADER)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String key,
            @Context HttpHeaders headers,
            @Context Request preconditions,
            @NotNull(message = "a body is required") @Valid CountRequest count)
            throws SQLException {
        IdempotencyKey.rejectEmpty(key, headers);
        return answer(200, restock(sku, new Restock(Kind.COUNT, count.available()), key, preconditions));
    }

    @POST
    @Path("/{sku}/deliveries")
    @RolesAllowed(Caller.CLERK)
    @Operation(
            summary = "Add a delivery to what is available of a SKU",
            description = "Of a new SKU, too. A request that is repeated with its key adds nothing and gets the same"
                    + " answer.")
    @APIResponse(responseCode = "201")
    @APIResponse(responseCode = "412", description = "The stock is not as If-Match says")
    @APIResponse(responseCode = "422", description = "The Idempotency-Key was used for another change, or too many")
    @Atomic
    public Response deliver(
            @PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku,
            @HeaderParam(IdempotencyKey.HEADER)
                    @NotNull(message = IdempotencyKey.REQUIRED)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String key,
            @Context Request preconditions,
            @NotNull(message = "a body is required") @Valid DeliveryRequest delivery)
            throws SQLException {
        return answer(201, restock(sku, new Restock(Kind.DELIVERY, delivery.quantity()), key, preconditions));
    }

    /** @param key null when the request has none */
    private Stock restock(String sku, Restock restock, String key, Request preconditions) throws SQLException {
        var isNew = stocks.add(sku);
        // From here on, the others who change this SKU wait.
        var before = stocks.lock(Set.of(sku)).get(sku);
        var made = key == null ? Optional.<Made>empty() : restocks.find(sku, key);
        if (made.isPresent()) {
            if (!made.get().restock().equals(restock)) {
                throw Problems.unprocessable("The Idempotency-Key was used before, for another change of " + sku + ".");
            }
            return made.get().result();
        }
        var mismatch = isNew ? preconditions.evaluatePreconditions() : preconditions.evaluatePreconditions(tag(before));
        if (mismatch != null) {
            throw Problems.problem(412, "The stock of " + sku + " is not as the request requires. Nothing was changed.")
                    .build();
        }
        var available = restock.available(before);
        if (available > MAX_AVAILABLE) {
            throw Problems.unprocessable("More than " + MAX_AVAILABLE + " of " + sku + " cannot be available.");
        }
        var after = stocks.setAvailable(sku, available);
        audit.add(restock.kind() + " " + restock.quantity(), sku);
        if (key != null) {
            restocks.add(key, new Made(restock, after));
        }
        return after;
    }

    private static Response answer(int status, Stock stock) {
        return Response.status(status).entity(stock).tag(tag(stock)).build();
    }

    /** Equal for equal quantities: it says what the stock is, not how often it has changed. */
    private static EntityTag tag(Stock stock) {
        return new EntityTag(stock.available() + "-" + stock.reserved() + "-" + stock.sold());
    }
}
