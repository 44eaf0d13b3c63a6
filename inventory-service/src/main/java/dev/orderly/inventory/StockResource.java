package dev.orderly.inventory;

import dev.orderly.events.OrderEvent.Line;
import dev.orderly.http.Problems;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import java.sql.SQLException;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** Shows the stock of each SKU, and restocks it. */
@Path("/stock")
public class StockResource {

    private static final long MAX_AVAILABLE = 1_000_000_000;
    private static final int MAX_PAGE = 1000;

    private final Stocks stocks;

    StockResource(Stocks stocks) {
        this.stocks = stocks;
    }

    /** The new quantity, not the difference: a repeated request changes nothing. */
    public record Restock(
            @NotNull @Min(0) @Max(MAX_AVAILABLE) Long available) {}

    @GET
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
    @Operation(summary = "The stock of one SKU")
    @APIResponse(responseCode = "200")
    @APIResponse(responseCode = "404", description = "There is no such SKU")
    public Stock get(@PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku)
            throws SQLException {
        return stocks.find(sku).orElseThrow(() -> Problems.notFound("There is no stock of " + sku + "."));
    }

    @PUT
    @Path("/{sku}")
    @Operation(
            summary = "Set how many of a SKU are available",
            description = "Of a new SKU, too. What is reserved and sold stays as it is.")
    public Stock put(
            @PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku,
            @NotNull(message = "a body is required") @Valid Restock restock)
            throws SQLException {
        return stocks.restock(sku, restock.available());
    }
}
