package dev.orderly.order;

import static java.util.function.Function.identity;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.orderly.catalog.Product;
import dev.orderly.database.Atomic;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.PaymentMethod;
import dev.orderly.http.Caller;
import dev.orderly.http.CommandAudit;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.order.IdempotencyKeys.Claim;
import dev.orderly.order.PlaceOrderResult.InvalidTotal;
import dev.orderly.order.PlaceOrderResult.KeyReused;
import dev.orderly.order.PlaceOrderResult.Overloaded;
import dev.orderly.order.PlaceOrderResult.Placed;
import dev.orderly.order.PlaceOrderResult.Replayed;
import dev.orderly.order.PlaceOrderResult.UnknownProducts;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;

/** Each command is one transaction that holds the orders and their events; both are durable on return. */
@ApplicationScoped
public class OrderCommands {

    /** Whether the {@link BacklogLimiter} applies, or the caller has admitted the orders by its own limit. */
    public enum Admission {
        LIMITED,
        ADMITTED
    }

    private final Orders orders;
    private final IdempotencyKeys keys;
    private final BacklogLimiter backlog;
    private final OrderMetrics metrics;
    private final Outbox outbox;
    private final CommandAudit audit;
    private final Clock clock;

    OrderCommands(
            Orders orders,
            IdempotencyKeys keys,
            BacklogLimiter backlog,
            OrderMetrics metrics,
            Outbox outbox,
            CommandAudit audit,
            Clock clock) {
        this.orders = orders;
        this.keys = keys;
        this.backlog = backlog;
        this.metrics = metrics;
        this.outbox = outbox;
        this.audit = audit;
        this.clock = clock;
    }

    /**
     * Places orders at today's prices; a repeated command gets the order that it placed the first time.
     *
     * @return a result for each, in the order of the batch
     */
    @Atomic
    public List<PlaceOrderResult> place(List<PendingOrder> batch, Admission admission) throws SQLException {
        var priced = price(batch);
        var candidates = admission == Admission.ADMITTED ? priced : shedLoad(priced);
        // The insert decides which commands are the first with their key.
        var claimed = keys.claimKeys(pending(candidates, Candidate::isPlaceable));
        var placed = candidates.stream()
                .filter(candidate -> claimed.contains(candidate.pending.id()))
                .toList();
        orders.add(placed.stream().map(Candidate::order).toList());
        publish(placed);
        return resultsWithReplays(candidates, placed);
    }

    /** A pending order and its result, unless its key turns out to be claimed. */
    private record Candidate(PendingOrder pending, PlaceOrderResult result) {

        boolean isPlaceable() {
            return result instanceof Placed;
        }

        Order order() {
            return ((Placed) result).order();
        }

        PaymentMethod method() {
            return pending.command().paymentMethod();
        }
    }

    private static List<PendingOrder> pending(List<Candidate> candidates, Predicate<Candidate> which) {
        return candidates.stream().filter(which).map(Candidate::pending).toList();
    }

    private List<Candidate> price(List<PendingOrder> batch) {
        var prices = Product.prices(batch.stream()
                .flatMap(pending -> pending.command().lines().stream())
                .map(PlaceOrder.Line::sku)
                .collect(toSet()));
        var now = clock.instant();
        return batch.stream()
                .map(pending -> new Candidate(pending, price(pending, prices, now)))
                .toList();
    }

    private static PlaceOrderResult price(PendingOrder pending, Map<String, Money> prices, Instant now) {
        var command = pending.command();
        var unknown = command.lines().stream()
                .map(PlaceOrder.Line::sku)
                .filter(sku -> !prices.containsKey(sku))
                .collect(toSet());
        if (!unknown.isEmpty()) {
            return new UnknownProducts(unknown);
        }
        try {
            var lines = command.lines().stream()
                    .map(line -> new Line(line.sku(), line.quantity(), prices.get(line.sku())))
                    .toList();
            return new Placed(new Order(pending.id(), command.customerId(), lines, command.paymentMethod(), now));
        } catch (IllegalArgumentException | ArithmeticException e) {
            return new InvalidTotal(e.getMessage());
        }
    }

    /** Replays need no admission: they must not use up the few orders that are admitted as probes. */
    private List<Candidate> shedLoad(List<Candidate> priced) throws SQLException {
        Predicate<Candidate> limited = candidate -> candidate.isPlaceable() && backlog.isOverloaded(candidate.method());
        var replays = keys.existingClaims(pending(priced, limited)).keySet();
        return priced.stream()
                .map(candidate -> !limited.test(candidate)
                                || replays.contains(candidate.pending.id())
                                || backlog.tryAdmit(candidate.method())
                        ? candidate
                        : shed(candidate))
                .toList();
    }

    private Candidate shed(Candidate candidate) {
        metrics.countShed(candidate.method());
        return new Candidate(candidate.pending, new Overloaded());
    }

    private void publish(List<Candidate> placed) throws SQLException {
        var causes = placed.stream().map(Candidate::pending).collect(toMap(PendingOrder::id, identity()));
        var events = placed.stream()
                .map(candidate -> new OutgoingEvent(
                        candidate
                                .order()
                                .placedEvent(candidate.pending.command().cardId()),
                        candidate.order().version()))
                .toList();
        outbox.add(events, event -> causes.get(event.event().id()).traceparent());
    }

    /** A replay gets its order in any case, also when the same command would be rejected today. */
    private List<PlaceOrderResult> resultsWithReplays(List<Candidate> candidates, List<Candidate> placed)
            throws SQLException {
        var claimed = placed.stream().map(candidate -> candidate.pending.id()).collect(toSet());
        var claims = keys.existingClaims(pending(candidates, candidate -> !claimed.contains(candidate.pending.id())));
        // A key may be in the batch twice, and what the batch has placed is not written yet.
        var known = placed.stream().map(Candidate::order).collect(toMap(Order::id, identity()));
        var others = claims.values().stream().map(Claim::orderId).collect(toSet());
        others.removeAll(known.keySet());
        known.putAll(orders.find(others));
        return candidates.stream()
                .map(candidate -> {
                    var claim = claims.get(candidate.pending.id());
                    if (claim == null || claimed.contains(candidate.pending.id())) {
                        return candidate.result;
                    }
                    return claim.isFor(candidate.pending) ? new Replayed(known.get(claim.orderId())) : new KeyReused();
                })
                .toList();
    }

    enum CancelResult {
        CANCELLED,
        ALREADY_DECIDED,
        UNKNOWN_ORDER
    }

    /**
     * Cancels an order that is not decided yet; may be repeated, since the answer may have been lost.
     *
     * @param onlyOf the order of any other customer is unknown; empty for those of all
     */
    @Atomic
    CancelResult cancel(UUID id, Optional<UUID> onlyOf, String traceparent) throws SQLException {
        var order = orders.lock(Set.of(id)).get(id);
        if (order == null || !Caller.isVisible(order.customerId(), onlyOf)) {
            return CancelResult.UNKNOWN_ORDER;
        }
        var cancelled = order.cancel(clock.instant());
        if (cancelled.isEmpty()) {
            return order.isCancelledByCustomer() ? CancelResult.CANCELLED : CancelResult.ALREADY_DECIDED;
        }
        audit.add("cancel", "order " + id);
        orders.saveDecisions(List.of(order));
        outbox.add(List.of(new OutgoingEvent(cancelled.get(), order.version())), _ -> traceparent);
        return CancelResult.CANCELLED;
    }

    /** Cancels orders recorded before a time and still undecided; participants compensate as ever. */
    @Atomic
    int cancelUndecidedBefore(OffsetDateTime time, int limit) throws SQLException {
        var overdue = orders.lockUndecidedBefore(time, limit);
        var now = clock.instant();
        var events = overdue.stream()
                .map(order -> new OutgoingEvent(order.expire(now).orElseThrow(), order.version()))
                .toList();
        orders.saveDecisions(overdue);
        outbox.add(events, _ -> null);
        return overdue.size();
    }
}
