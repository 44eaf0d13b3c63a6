package dev.orderly.order.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.events.OrderStatus;
import dev.orderly.http.Caller;
import dev.orderly.http.DatabaseBulkhead;
import dev.orderly.http.Problems;
import dev.orderly.http.UuidParameter;
import io.quarkiverse.resteasy.problem.HttpProblem;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import io.smallrye.mutiny.unchecked.Unchecked;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.NameBinding;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriBuilder;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.sse.OutboundSseEvent;
import jakarta.ws.rs.sse.Sse;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.jboss.resteasy.reactive.RestStreamElementType;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** The queries; their answers come from the read model, which is eventually consistent. */
@Path("/orders")
public class OrderViewResource {

    private static final int MAX_WAIT_SECONDS = 60;
    private static final String UUID_OR_EMPTY = "(" + UuidParameter.PATTERN + ")?";
    private static final String STATUS_OR_EMPTY =
            "(PENDING|RESERVED|OUT_OF_STOCK|PAID|DECLINED|CONFIRMED|REJECTED|CANCELLED)?";

    /** How long a caller who holds a version may wait for the projection to reach it. */
    private static final Duration MAX_CATCH_UP = Duration.ofSeconds(10);

    private static final Duration MAX_STREAM = Duration.ofMinutes(10);

    private final OrderViews views;
    private final OrderChangeNotifier notifier;
    private final DatabaseBulkhead bulkhead;
    private final Caller caller;

    OrderViewResource(OrderViews views, OrderChangeNotifier notifier, DatabaseBulkhead bulkhead, Caller caller) {
        this.views = views;
        this.notifier = notifier;
        this.bulkhead = bulkhead;
        this.caller = caller;
    }

    @GET
    @Path("/{id}")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "An order and what has happened to it")
    public Uni<OrderView> get(
            @PathParam("id") UUID id,
            @QueryParam("wait")
                    @DefaultValue("0")
                    @Min(0)
                    @Max(MAX_WAIT_SECONDS)
                    @Parameter(description = "seconds to wait until the order is decided; 10 for one that is unknown")
                    int wait,
            @QueryParam("version")
                    @DefaultValue("0")
                    @Min(0)
                    @Parameter(description = "as in the Location of a command; waits until the projection has it")
                    int version) {
        var onlyOf = caller.onlyCustomer();
        Predicate<OrderProgress> written = progress -> progress.version() >= version;
        Predicate<OrderProgress> decided =
                progress -> progress.status() != null && progress.status().isTerminal();
        var caughtUp = version == 0 ? Uni.createFrom().voidItem() : notifier.until(id, written, MAX_CATCH_UP);
        var settled =
                wait == 0 ? caughtUp : caughtUp.chain(() -> notifier.until(id, decided, Duration.ofSeconds(wait)));
        return settled.emitOn(Infrastructure.getDefaultWorkerPool())
                .map(Unchecked.function(_ -> bulkhead.call(() -> read(id, version, onlyOf))));
    }

    /** @param onlyOf the order of any other customer is unknown; empty for those of all */
    private OrderView read(UUID id, int version, Optional<UUID> onlyOf) throws SQLException {
        var order = views.find(id).filter(found -> Caller.isVisible(found.customerId(), onlyOf));
        if (version > 0 && order.map(found -> ownVersion(found) < version).orElse(true)) {
            throw Problems.unavailable(
                    "The read model has not got as far as version " + version + " of order " + id + " yet; try again.");
        }
        return order.orElseThrow(() -> unknown(id));
    }

    private static HttpProblem unknown(UUID id) {
        return Problems.notFound("There is no order " + id + ".");
    }

    private static int ownVersion(OrderView order) {
        return order.timeline().stream()
                .filter(entry -> entry.source().equals(OrderProgress.OWNER))
                .mapToInt(OrderView.TimelineEntry::version)
                .max()
                .orElse(0);
    }

    /** A page of orders; {@code next} leads to the following one and is absent on the last. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record OrderPage(List<OrderView> orders, URI next) {}

    @GET
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @Operation(summary = "Orders, newest first", description = "Of a customer, their own.")
    public OrderPage list(
            @QueryParam("customerId") @Pattern(regexp = UUID_OR_EMPTY, message = UuidParameter.MESSAGE)
                    String customerId,
            @QueryParam("status") @Pattern(regexp = STATUS_OR_EMPTY, message = "must be a status of an order")
                    String status,
            @QueryParam("after") @Pattern(regexp = UUID_OR_EMPTY, message = "must be the id of an order") String after,
            @QueryParam("limit") @DefaultValue("20") @Min(1) @Max(100) int limit)
            throws SQLException {
        var asked = isSet(customerId) ? UUID.fromString(customerId) : null;
        var onlyOf = caller.onlyCustomer();
        if (asked != null && !Caller.isVisible(asked, onlyOf)) {
            throw Problems.forbidden("A customer sees their own orders only.");
        }
        // One more than the limit shows whether there is a next page.
        var found = views.page(
                onlyOf.orElse(asked),
                isSet(status) ? OrderStatus.valueOf(status) : null,
                isSet(after) ? UUID.fromString(after) : null,
                limit + 1);
        if (found.size() <= limit) {
            return new OrderPage(found, null);
        }
        var page = found.subList(0, limit);
        var next = UriBuilder.fromPath("/orders");
        if (isSet(customerId)) {
            next.queryParam("customerId", customerId);
        }
        if (isSet(status)) {
            next.queryParam("status", status);
        }
        return new OrderPage(
                page,
                next.queryParam("limit", limit)
                        .queryParam("after", page.getLast().id())
                        .build());
    }

    private static boolean isSet(String parameter) {
        return parameter != null && !parameter.isEmpty();
    }

    /** Waits for the order before the stream of its events begins, since a stream cannot turn into a 404. */
    @NameBinding
    @Retention(RetentionPolicy.RUNTIME)
    @interface OfKnownOrder {}

    @ServerRequestFilter
    @OfKnownOrder
    public Uni<Response> awaitOrder(UriInfo uri) {
        var id = uri.getPathParameters().getFirst("id");
        if (!id.matches(UuidParameter.PATTERN)) {
            // Not left to the conversion, which takes shorter forms, too: their owner would not be compared.
            throw Problems.notFound("There is no order of this id.");
        }
        var order = UUID.fromString(id);
        var onlyOf = caller.onlyCustomer();
        return notifier.until(order, progress -> progress.events() > 0, MAX_CATCH_UP)
                .emitOn(Infrastructure.getDefaultWorkerPool())
                .map(Unchecked.function(_ -> bulkhead.call(() -> read(order, 0, onlyOf))))
                .map(_ -> null);
    }

    @GET
    @Path("/{id}/events")
    @RolesAllowed({Caller.CUSTOMER, Caller.CLERK, Caller.OPERATOR})
    @OfKnownOrder
    @Produces(MediaType.SERVER_SENT_EVENTS)
    @RestStreamElementType(MediaType.APPLICATION_JSON)
    @Operation(
            summary = "The timeline of an order as server-sent events",
            description = "What has happened so far, and then each event as it comes, for up to ten minutes;"
                    + " a comment every 15 seconds in which nothing happens.")
    @APIResponse(responseCode = "200", description = "The events")
    @APIResponse(responseCode = "404", description = "There is no such order, after a wait of ten seconds for it")
    public Multi<OutboundSseEvent> events(
            @PathParam("id") UUID id, @HeaderParam("Last-Event-ID") @DefaultValue("0") @Min(0) int last, Sse sse) {
        return notifier.entriesAfter(id, last, MAX_STREAM).map(entry -> event(entry, sse));
    }

    private static OutboundSseEvent event(Optional<OrderView.TimelineEntry> entry, Sse sse) {
        return entry.map(happened -> sse.newEventBuilder()
                        .id(String.valueOf(happened.position()))
                        .name(happened.type())
                        .data(happened)
                        .mediaType(MediaType.APPLICATION_JSON_TYPE)
                        .build())
                .orElseGet(() -> sse.newEventBuilder().comment("").build());
    }
}
