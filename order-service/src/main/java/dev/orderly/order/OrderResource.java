package dev.orderly.order;

import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.order.OrderCommands.KeyReused;
import dev.orderly.order.OrderCommands.TooManyWaiting;
import dev.orderly.order.OrderCommands.UnknownProducts;
import dev.orderly.order.OrderCommands.Wish;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.smallrye.mutiny.Uni;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
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
import java.util.UUID;
import java.util.stream.IntStream;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;

/** The commands. Both are durable when they answer; what becomes of the order by and by shows on the read side. */
@Path("/orders")
@Produces(MediaType.APPLICATION_JSON) // else who accepts XML only would be given toString()
public class OrderResource {

    private static final int MAX_LINES = 100;
    private static final int MAX_QUANTITY = 1_000_000;
    private static final int RETRY_AFTER_SECONDS = 5;

    private final OrderBatcher intake;
    private final OrderCommands commands;

    OrderResource(OrderBatcher intake, OrderCommands commands) {
        this.intake = intake;
        this.commands = commands;
    }

    /**
     * What a customer orders; the prices are ours to say.
     *
     * @param cardToken required by payment by card, and refused with any other
     */
    public record OrderRequest(
            @NotNull UUID customerId,
            @NotEmpty @Size(max = MAX_LINES) List<@NotNull @Valid LineRequest> lines,
            @NotNull PaymentMethod paymentMethod,
            String cardToken) {}

    public record LineRequest(
            @NotNull @Pattern(regexp = Line.SKU, message = Line.SKU_MESSAGE)
            String sku,

            @Min(1) @Max(MAX_QUANTITY) int quantity) {}

    /** An order as it was accepted. */
    public record PlacedOrder(
            UUID id,
            OrderStatus status,
            UUID customerId,
            List<Line> lines,
            Money total,
            PaymentMethod paymentMethod,
            Instant placedAt) {}

    @POST
    @Operation(
            summary = "Place an order",
            description =
                    "Answers before stock and payment are settled. Location names the order and waits until it can be read. "
                            + "A request that is repeated with its key gets the same answer and places nothing.")
    @APIResponse(responseCode = "202", description = "Accepted")
    @APIResponse(
            responseCode = "503",
            description = "More orders are waiting than can be decided in time; see Retry-After")
    public Uni<Response> place(
            @HeaderParam(IdempotencyKey.HEADER)
                    @NotNull(message = "the header Idempotency-Key is required")
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String idempotencyKey,
            @HeaderParam("traceparent") String traceparent,
            @NotNull(message = "a body is required") @Valid OrderRequest request,
            @Context UriInfo uri) {
        var items = request.lines().stream()
                .map(line -> new Wish.Item(line.sku(), line.quantity()))
                .toList();
        var wish = new Wish(request.customerId(), items, request.paymentMethod(), cardToken(request));
        var location = location(uri); // now: there is no request any more when a caller has hung up by then
        return intake.place(wish, idempotencyKey, traceparent)
                .map(order -> accepted(location, order))
                .onFailure()
                .transform(failure -> refusal(failure, request));
    }

    /** PENDING and version 1, not what it is by now: a repeated request is to get the answer that was lost. */
    private static Response accepted(UriBuilder location, Order order) {
        return accepted(location, order.id(), 1)
                .entity(new PlacedOrder(
                        order.id(),
                        OrderStatus.PENDING,
                        order.customerId(),
                        order.lines(),
                        order.total(),
                        order.paymentMethod(),
                        order.placedAt()))
                .build();
    }

    private static Throwable refusal(Throwable failure, OrderRequest request) {
        return switch (failure) {
            case UnknownProducts unknown ->
                refused("Some products are not in the catalogue.")
                        .with("errors", errorsAtLines(request, unknown))
                        .build();
            case KeyReused _ ->
                refused("The Idempotency-Key was used before, for another order.")
                        .build();
            case TooManyWaiting _ ->
                problem(
                                503,
                                "Service Unavailable",
                                "Too many orders wait to be decided. Nothing was changed; try again.")
                        .withHeader("Retry-After", RETRY_AFTER_SECONDS)
                        .build();
            case IllegalArgumentException e ->
                refused("The lines cannot be added up: " + e.getMessage()).build();
            case ArithmeticException e ->
                refused("The lines cannot be added up: " + e.getMessage()).build();
            default -> failure;
        };
    }

    @POST
    @Path("/{id}/cancel")
    @Operation(summary = "Cancel an order that is not decided yet")
    @APIResponse(responseCode = "202", description = "Cancelled; stock and money are on their way back")
    @APIResponse(responseCode = "409", description = "Decided already")
    public Response cancel(
            @PathParam("id") UUID id, @HeaderParam("traceparent") String traceparent, @Context UriInfo uri)
            throws SQLException {
        return switch (commands.cancel(id, traceparent)) {
            case DONE ->
                accepted(location(uri), id, 2)
                        .entity(Map.of("id", id, "status", OrderStatus.CANCELLED))
                        .build();
            case TOO_LATE ->
                throw problem(409, "Conflict", "The order is confirmed, rejected or cancelled already.")
                        .build();
            case UNKNOWN_ORDER ->
                throw problem(404, "Not Found", "There is no order " + id + ".").build();
        };
    }

    private static CardToken cardToken(OrderRequest request) {
        if (request.paymentMethod() != PaymentMethod.CARD) {
            if (request.cardToken() != null) {
                throw refusedCardToken("goes with the payment method CARD only");
            }
            return null;
        }
        try {
            return new CardToken(request.cardToken());
        } catch (IllegalArgumentException _) {
            throw refusedCardToken(CardToken.MESSAGE);
        }
    }

    /** Says nothing of what was sent: it may be a card number. */
    private static HttpProblem refusedCardToken(String message) {
        return problem(400, "Bad Request", message).with("field", "cardToken").build();
    }

    /** The version is the token by which a read knows how far the projection must have come. */
    private static Response.ResponseBuilder accepted(UriBuilder location, UUID order, int version) {
        return Response.accepted()
                .location(location.queryParam("version", version).build(order));
    }

    private static UriBuilder location(UriInfo uri) {
        return uri.getBaseUriBuilder().path(OrderResource.class).path("{id}");
    }

    private static HttpProblem.Builder refused(String detail) {
        return problem(422, "Unprocessable Content", detail);
    }

    private static HttpProblem.Builder problem(int status, String title, String detail) {
        return HttpProblem.builder().withStatus(status).withTitle(title).withDetail(detail);
    }

    private static List<Map<String, String>> errorsAtLines(OrderRequest request, UnknownProducts unknown) {
        return IntStream.range(0, request.lines().size())
                .filter(line ->
                        unknown.skus().contains(request.lines().get(line).sku()))
                .mapToObj(line -> Map.of("field", "lines[" + line + "].sku", "message", "is not in the catalogue"))
                .toList();
    }
}
