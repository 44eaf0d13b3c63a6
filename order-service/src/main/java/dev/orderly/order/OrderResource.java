package dev.orderly.order;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import dev.orderly.http.Caller;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.http.Problems;
import dev.orderly.http.Problems.FieldError;
import dev.orderly.order.PlaceOrderResult.InvalidTotal;
import dev.orderly.order.PlaceOrderResult.KeyReused;
import dev.orderly.order.PlaceOrderResult.Overloaded;
import dev.orderly.order.PlaceOrderResult.Placed;
import dev.orderly.order.PlaceOrderResult.Replayed;
import dev.orderly.order.PlaceOrderResult.UnknownProducts;
import io.smallrye.mutiny.Uni;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Null;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriBuilder;
import jakarta.ws.rs.core.UriInfo;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** The commands of customers; an answer follows the commit. The read side shows how an order goes on. */
@Path("/orders")
@Produces(MediaType.APPLICATION_JSON) // or a client that accepts only XML would get toString()
public class OrderResource {

    private static final int MAX_LINES = 100;
    private static final int MAX_QUANTITY = 1_000_000;
    private static final int RETRY_AFTER_SECONDS = 5;

    /** Does not repeat what was sent: it may be a card number. */
    private static final String CARD_TOKEN =
            "belongs to payment-service alone: leave it there by POST /cards, and name the card by its cardId";

    /** Order-service publishes two events of an order: that it was placed, and its end. */
    private static final int PLACED_VERSION = 1;

    private static final int DECIDED_VERSION = 2;

    private final OrderBatcher batcher;
    private final OrderCommands commands;
    private final Caller caller;

    OrderResource(OrderBatcher batcher, OrderCommands commands, Caller caller) {
        this.batcher = batcher;
        this.commands = commands;
        this.caller = caller;
    }

    /**
     * What a customer orders; prices come from the catalogue.
     *
     * @param cardId of a card that the customer has left with payment-service; required with payment by card,
     *     rejected with any other method
     * @param cardToken rejected; here for clients of the release before, to say where it goes now
     */
    public record OrderRequest(
            @NotNull UUID customerId,
            @NotEmpty @Size(max = MAX_LINES) List<@NotNull @Valid LineRequest> lines,
            @NotNull PaymentMethod paymentMethod,
            UUID cardId,

            @Null(message = CARD_TOKEN) @Schema(hidden = true)
            String cardToken) {}

    public record LineRequest(
            @NotNull @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE)
            String sku,

            @Min(1) @Max(MAX_QUANTITY) int quantity) {}

    /** An order as accepted. */
    public record OrderDocument(
            UUID id,
            OrderStatus status,
            UUID customerId,
            List<Line> lines,
            Money total,
            PaymentMethod paymentMethod,
            Instant placedAt) {}

    @POST
    @RolesAllowed(Caller.CUSTOMER)
    @Operation(
            summary = "Place an order",
            description =
                    "Answers before stock and payment are settled. Location names the order and waits until it can be "
                            + "read. A request that is repeated with its key gets the same answer and places nothing.")
    @APIResponse(responseCode = "202", description = "Accepted")
    @APIResponse(
            responseCode = "503",
            description = "More orders are waiting than can be decided in time; see Retry-After")
    public Uni<Response> place(
            @HeaderParam(IdempotencyKey.HEADER)
                    @NotNull(message = IdempotencyKey.REQUIRED)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String idempotencyKey,
            @HeaderParam("traceparent") String traceparent,
            @NotNull(message = "a body is required") @Valid OrderRequest request,
            @Context UriInfo uri) {
        caller.requireCustomer(request.customerId());
        var location = location(uri); // now: the request scope ends when the caller hangs up
        return batcher.place(command(request), idempotencyKey, traceparent).map(result -> switch (result) {
            case Placed(var order) -> accepted(location, order);
            case Replayed(var order) -> accepted(location, order);
            case KeyReused() -> throw Problems.unprocessable("The Idempotency-Key was used before, for another order.");
            case UnknownProducts(var skus) ->
                throw Problems.unprocessable("Some products are not in the catalogue.", errorsAtLines(request, skus));
            case InvalidTotal(var reason) -> throw Problems.unprocessable("The lines cannot be added up: " + reason);
            case Overloaded() ->
                throw Problems.problem(503, "Too many orders wait to be decided. Nothing was changed; try again.")
                        .withHeader("Retry-After", RETRY_AFTER_SECONDS)
                        .build();
        });
    }

    private static PlaceOrder command(OrderRequest request) {
        var lines = request.lines().stream()
                .map(line -> new PlaceOrder.Line(line.sku(), line.quantity()))
                .toList();
        return new PlaceOrder(request.customerId(), lines, request.paymentMethod(), cardId(request));
    }

    /** PENDING and version 1, whatever it is by now: a repeated request gets the answer that was lost. */
    private static Response accepted(UriBuilder location, Order order) {
        return accepted(location, order.id(), PLACED_VERSION)
                .entity(new OrderDocument(
                        order.id(),
                        OrderStatus.PENDING,
                        order.customerId(),
                        order.lines(),
                        order.total(),
                        order.paymentMethod(),
                        order.placedAt()))
                .build();
    }

    @POST
    @Path("/{id}/cancel")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK})
    @Operation(summary = "Cancel an order that is not decided yet", description = "May be repeated.")
    @APIResponse(
            responseCode = "202",
            description = "Cancelled, by this request or by one before; stock and money are on their way back")
    @APIResponse(responseCode = "409", description = "Confirmed, rejected, or not decided in time")
    public Response cancel(
            @PathParam("id") UUID id, @HeaderParam("traceparent") String traceparent, @Context UriInfo uri)
            throws SQLException {
        return switch (commands.cancel(id, caller.onlyCustomerUnless(Caller.CLERK), traceparent)) {
            case CANCELLED ->
                accepted(location(uri), id, DECIDED_VERSION)
                        .entity(Map.of("id", id, "status", OrderStatus.CANCELLED))
                        .build();
            case ALREADY_DECIDED ->
                throw Problems.conflict("The order is decided already, and not by a cancellation that was requested.");
            case UNKNOWN_ORDER -> throw Problems.notFound("There is no order " + id + ".");
        };
    }

    private static UUID cardId(OrderRequest request) {
        if ((request.paymentMethod() == PaymentMethod.CARD) != (request.cardId() != null)) {
            throw Problems.badRequest("cardId", "is required with the payment method CARD, and goes with no other");
        }
        return request.cardId();
    }

    /** The version lets a read wait until the projection has caught up with this write. */
    private static Response.ResponseBuilder accepted(UriBuilder location, UUID order, int version) {
        return Response.accepted()
                .location(location.queryParam("version", version).build(order));
    }

    private static UriBuilder location(UriInfo uri) {
        return uri.getBaseUriBuilder().path(OrderResource.class).path("{id}");
    }

    private static List<FieldError> errorsAtLines(OrderRequest request, Set<String> unknown) {
        return IntStream.range(0, request.lines().size())
                .filter(line -> unknown.contains(request.lines().get(line).sku()))
                .mapToObj(line -> new FieldError("lines[" + line + "].sku", "is not in the catalogue"))
                .toList();
    }
}
