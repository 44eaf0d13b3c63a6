package dev.orderly.order;

import dev.orderly.events.CardToken;
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
 * An order as its owner sees it: undecided, or decided for good. Every decision is an event and takes the next version,
 * under the lock of the order's row, so that of a cancellation and a confirmation exactly one wins.
 */
public final class Order {

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
     * A new order, its first version, undecided.
     *
     * @throws IllegalArgumentException when there are no lines or they are not in one currency
     * @throws ArithmeticException when the total does not fit
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

    /** An order as it was stored. */
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

    /** @param cardToken when it is paid by card, else null; it is handed on to who charges the card, and not kept */
    public OrderPlaced placed(CardToken cardToken) {
        return new OrderPlaced(id, customerId, lines, total, paymentMethod, cardToken, placedAt);
    }

    /**
     * What becomes of the order when another service has reported something.
     *
     * @return the decision; empty when there is nothing to decide, or nothing any more: whoever reserved stock or took
     *     money for an order that was cancelled meanwhile learns of that from the topic and gives it back
     */
    public Optional<OrderEvent> on(OrderEvent event, Instant now) {
        if (status.isTerminal()) {
            return Optional.empty();
        }
        return switch (event) {
            case PaymentCaptured _ -> Optional.of(decided(new OrderConfirmed(id, customerId, total, now), null));
            case StockRejected rejected ->
                Optional.of(rejected("out of stock: " + String.join(", ", rejected.outOfStock()), now));
            case PaymentDeclined declined -> Optional.of(rejected(declined.reason(), now));
            case StockReserved _ -> Optional.empty();
            case OrderPlaced _, OrderConfirmed _, OrderRejected _, OrderCancelled _, PaymentRefunded _ ->
                Optional.empty();
        };
    }

    /** Cancels the order on the customer's behalf; empty when it is decided already. */
    public Optional<OrderEvent> cancel(Instant now) {
        return cancelled("cancelled by the customer", now);
    }

    /** Cancels the order because an answer that it waits for has not come in time; empty when it is decided already. */
    public Optional<OrderEvent> expire(Instant now) {
        return cancelled("not decided in time", now);
    }

    private Optional<OrderEvent> cancelled(String why, Instant now) {
        return status.isTerminal()
                ? Optional.empty()
                : Optional.of(decided(new OrderCancelled(id, customerId, why, now), why));
    }

    private OrderEvent rejected(String why, Instant now) {
        return decided(new OrderRejected(id, customerId, why, now), why);
    }

    private OrderEvent decided(OrderEvent decision, String why) {
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

    /** Why it was rejected or cancelled; else null. */
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

    /** Of the last event that was published about this order. */
    public int version() {
        return version;
    }
}
