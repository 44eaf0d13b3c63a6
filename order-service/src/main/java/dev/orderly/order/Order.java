package dev.orderly.order;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.OrderStatus;
import dev.orderly.events.PaymentMethod;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * An order as order-service, its owner, sees it: undecided, or decided once and finally. Every decision is an
 * event and takes the next version, under the lock of the order's row, so that of a cancellation and a
 * confirmation exactly one wins.
 */
public final class Order {

    private static final String BY_CUSTOMER = "cancelled by the customer";

    private final UUID id;
    private final UUID customerId;
    private final List<Line> lines;
    private final Money total;
    private final PaymentMethod paymentMethod;
    private final Instant placedAt;

    private OrderStatus status;
    private String reason;
    private int version;

    /**
     * A new order: undecided, version 1.
     *
     * @throws IllegalArgumentException when there are no lines or they are not in one currency
     * @throws ArithmeticException when the total is out of range
     */
    public Order(UUID id, UUID customerId, List<Line> lines, PaymentMethod paymentMethod, Instant placedAt) {
        this(id, customerId, lines, sum(lines), paymentMethod, placedAt, OrderStatus.PENDING, null, 1);
    }

    private static Money sum(List<Line> lines) {
        return lines.stream()
                .map(Line::price)
                .reduce(Money::plus)
                .orElseThrow(() -> new IllegalArgumentException("an order has at least one line"));
    }

    /** An order as stored. */
    Order(
            UUID id,
            UUID customerId,
            List<Line> lines,
            Money total,
            PaymentMethod paymentMethod,
            Instant placedAt,
            OrderStatus status,
            String reason,
            int version) {
        this.id = id;
        this.customerId = customerId;
        this.lines = List.copyOf(lines);
        this.total = total;
        this.paymentMethod = paymentMethod;
        this.placedAt = placedAt;
        this.status = status;
        this.reason = reason;
        this.version = version;
    }

    /** @param cardId with payment by card, else null; the order does not keep it */
    public OrderPlaced placedEvent(UUID cardId) {
        return new OrderPlaced(id, customerId, lines, total, paymentMethod, cardId, null, placedAt);
    }

    /**
     * Decides the order by what another service has reported.
     *
     * @return the decision; empty when the event decides nothing, or the order is decided already: the
     *     service that reserved stock or took money for an order that was cancelled compensates it when it
     *     reads the cancellation from the topic
     */
    public Optional<OrderEvent> on(OrderEvent event, Instant now) {
        if (status.isTerminal()) {
            return Optional.empty();
        }
        return switch (event) {
            case PaymentCaptured _ -> Optional.of(decide(new OrderConfirmed(id, customerId, total, now), null));
            case StockRejected stock ->
                Optional.of(reject("out of stock: " + String.join(", ", stock.outOfStock()), now));
            case PaymentDeclined declined -> Optional.of(reject(declined.reason(), now));
            case StockReserved _ -> Optional.empty();
            case OrderPlaced _, OrderConfirmed _, OrderRejected _, OrderCancelled _, PaymentRefunded _ ->
                Optional.empty();
        };
    }

    /** Cancels the order for the customer; empty when it is decided already. */
    public Optional<OrderEvent> cancel(Instant now) {
        return cancel(BY_CUSTOMER, now);
    }

    /** Cancels the order at its deadline, for lack of an answer; empty when it is decided already. */
    public Optional<OrderEvent> expire(Instant now) {
        return cancel("not decided in time", now);
    }

    private Optional<OrderEvent> cancel(String why, Instant now) {
        return status.isTerminal()
                ? Optional.empty()
                : Optional.of(decide(new OrderCancelled(id, customerId, why, now), why));
    }

    private OrderEvent reject(String why, Instant now) {
        return decide(new OrderRejected(id, customerId, why, now), why);
    }

    private OrderEvent decide(OrderEvent decision, String why) {
        status = decision.status();
        reason = why;
        version++;
        return decision;
    }

    public UUID id() {
        return id;
    }

    public UUID customerId() {
        return customerId;
    }

    public OrderStatus status() {
        return status;
    }

    /** Unlike one that expired, or was decided otherwise. */
    boolean isCancelledByCustomer() {
        return status == OrderStatus.CANCELLED && BY_CUSTOMER.equals(reason);
    }

    /** Why it was rejected or cancelled, else null. */
    public String reason() {
        return reason;
    }

    public List<Line> lines() {
        return lines;
    }

    public Money total() {
        return total;
    }

    public PaymentMethod paymentMethod() {
        return paymentMethod;
    }

    public Instant placedAt() {
        return placedAt;
    }

    /** The version of the last event that order-service published about this order. */
    public int version() {
        return version;
    }
}
