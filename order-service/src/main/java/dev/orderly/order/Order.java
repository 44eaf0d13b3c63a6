package dev.orderly.order;

import dev.orderly.events.EventJson;
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
import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.LockModeType;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.hibernate.Timeouts;

/**
 * An order as its owner sees it: undecided, or decided for good. Every decision is an event and takes the next version,
 * under the lock of the order's row, so that of a cancellation and a confirmation exactly one wins.
 */
@Entity
@Table(name = "orders")
public class Order extends PanacheEntityBase {

    @Id
    private UUID id;

    @Column(updatable = false)
    private UUID customerId;

    @Enumerated(EnumType.STRING)
    private OrderStatus status;

    private String reason;

    @Column(updatable = false)
    private String lines;

    @Column(updatable = false)
    private long total;

    @Column(updatable = false)
    private String currency;

    @Enumerated(EnumType.STRING)
    @Column(updatable = false)
    private PaymentMethod paymentMethod;

    @Column(updatable = false)
    private Instant placedAt;

    private int version;

    /** For Hibernate. */
    protected Order() {}

    /**
     * A new order, its first version, undecided.
     *
     * @throws IllegalArgumentException when there are no lines or they are not in one currency
     * @throws ArithmeticException when the total does not fit
     */
    public Order(UUID id, UUID customerId, List<Line> lines, PaymentMethod paymentMethod, Instant placedAt) {
        var total = lines.stream()
                .map(Line::price)
                .reduce(Money::plus)
                .orElseThrow(() -> new IllegalArgumentException("an order has at least one line"));
        this.id = id;
        this.customerId = customerId;
        this.status = OrderStatus.PENDING;
        this.lines = EventJson.writeValue(lines);
        this.total = total.amount();
        this.currency = total.currency().getCurrencyCode();
        this.paymentMethod = paymentMethod;
        this.placedAt = placedAt;
        this.version = 1;
    }

    /** Those of the orders that exist, each locked until the transaction ends; in id order, against deadlocks. */
    static Map<UUID, Order> lockAll(Collection<UUID> ids) {
        return Order.<Order>find("id in ?1 order by id", ids).withLock(LockModeType.PESSIMISTIC_WRITE).stream()
                .collect(Collectors.toMap(Order::id, Function.identity()));
    }

    /** The first undecided orders that were placed before a time, locked; those that somebody else has locked are left. */
    static List<Order> lockUndecidedBefore(Instant time, int limit) {
        // The status as a literal: with a parameter the database could not use the index of the undecided.
        return Order.<Order>find(
                        "status = dev.orderly.events.OrderStatus.PENDING and placedAt < ?1 order by placedAt", time)
                .page(0, limit)
                .withLock(LockModeType.PESSIMISTIC_WRITE)
                .withHint("jakarta.persistence.lock.timeout", Timeouts.SKIP_LOCKED_MILLI)
                .list();
    }

    public OrderPlaced placed() {
        return new OrderPlaced(id, customerId, lines(), total(), paymentMethod, placedAt);
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
            case PaymentCaptured _ -> Optional.of(decided(new OrderConfirmed(id, customerId, total(), now), null));
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

    public List<Line> lines() {
        return List.of(EventJson.readValue(Line[].class, lines));
    }

    public Money total() {
        return Money.of(total, currency);
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
