package dev.orderly.catalog;

import dev.orderly.database.Atomic;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.http.Problems;
import io.quarkus.panache.common.Sort;
import jakarta.annotation.security.PermitAll;
import jakarta.annotation.security.RolesAllowed;
import jakarta.transaction.Transactional;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.QueryParam;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;

/** The catalogue. */
@Path("/products")
public class ProductResource {

    private static final int MAX_PAGE = 1000;

    private final CommandAudit audit;

    ProductResource(CommandAudit audit) {
        this.audit = audit;
    }

    public record OfferRequest(
            // PostgreSQL stores neither NUL nor a lone surrogate.
            @NotBlank
            @Size(max = 200)
            @Pattern(regexp = "[^\\x00\\p{Cs}]*", message = "must have whole characters only, and no NUL")
            String name,

            @NotNull @Valid Money price) {}

    public record ProductDocument(String sku, String name, Money price) {
        static ProductDocument of(Product product) {
            return new ProductDocument(product.sku(), product.name(), product.price());
        }
    }

    @GET
    @PermitAll
    @Operation(summary = "All products, in the order of their SKUs")
    @Transactional
    public List<ProductDocument> list(
            @QueryParam("after")
                    @DefaultValue("")
                    @Pattern(regexp = Line.SKU + "|", message = Line.SKU_MESSAGE)
                    @Parameter(description = "the last SKU of the page before")
                    String after,
            @QueryParam("limit") @DefaultValue("" + MAX_PAGE) @Min(1) @Max(MAX_PAGE) int limit) {
        return Product.<Product>find("sku > ?1", Sort.by("sku"), after).page(0, limit).stream()
                .map(ProductDocument::of)
                .toList();
    }

    @GET
    @Path("/{sku}")
    @PermitAll
    @Operation(summary = "One product")
    @Transactional
    public ProductDocument get(@PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku) {
        return Product.<Product>findByIdOptional(sku)
                .map(ProductDocument::of)
                .orElseThrow(() -> Problems.notFound("There is no product " + sku + "."));
    }

    @PUT
    @Path("/{sku}")
    @RolesAllowed(Caller.CLERK)
    @Operation(summary = "Offer a product, or change its name and price; orders placed before keep their price")
    @Atomic
    public ProductDocument put(
            @PathParam("sku") @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE) String sku,
            @NotNull @Valid OfferRequest offer) {
        Product.offer(sku, offer.name(), offer.price());
        audit.add("offer at " + offer.price().amount() + " " + offer.price().currency(), sku);
        return new ProductDocument(sku, offer.name(), offer.price());
    }
}
