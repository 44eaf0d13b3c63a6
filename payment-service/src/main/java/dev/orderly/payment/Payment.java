package dev.orderly.payment;

import static dev.orderly.payment.Payment.Status.CAPTURED;
import static dev.orderly.payment.Payment.Status.DECLINED;
import static dev.orderly.payment.Payment.Status.EXPECTED;
import static dev.orderly.payment.Payment.Status.REFUNDED;
import static dev.orderly.payment.Payment.Status.VOID;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What became of the payment of an order. Every order is captured at most once and refunded at most once, and one that
 * was cancelled first is never captured:
 *
 * <pre>
 *              the balance suffices                   cancelled
 *   EXPECTED ────────────────────────► CAPTURED ────────────────────► REFUNDED
 *      ├───── it does not ───────────► DECLINED
 *      └───── cancelled ─────────────► VOID
 * </pre>
 *
 * @param amount what the order costs; null when we were never told, see {@link Status#VOID}
 * @param reason why it was declined, voided or refunded; else null
 * @param occurredAt when it took this status
 */
record Payment(UUID orderId, UUID customerId, Status status, Money amount, String reason, Instant occurredAt) {

    enum Status {
        /** Nothing has happened yet; the only status that is not stored. */
        EXPECTED,
        CAPTURED,
        DECLINED,
        /** The order was cancelled before its stock was reserved, so there is nothing to pay. */
        VOID,
        REFUNDED
    }

    static Payment expected(UUID orderId, UUID customerId) {
        return new Payment(orderId, customerId, EXPECTED, null, null, null);
    }

    /**
     * The order may be paid.
     *
     * @param balance what the customer has in the currency of the total; empty without an account in it
     * @return the payment as it is now; empty when this changes nothing
     */
    Optional<Payment> due(Money total, Optional<Money> balance, Instant now) {
        if (status != EXPECTED) {
            return Optional.empty();
        }
        if (balance.map(Money::amount).orElse(0L) >= total.amount()) {
            return Optional.of(new Payment(orderId, customerId, CAPTURED, total, null, now));
        }
        var reason = balance.isPresent() ? "insufficient balance" : "no account in " + total.currency();
        return Optional.of(new Payment(orderId, customerId, DECLINED, total, reason, now));
    }

    /**
     * The order was cancelled.
     *
     * @return the payment as it is now; empty when this changes nothing
     */
    Optional<Payment> cancelled(String why, Instant now) {
        return switch (status) {
            case EXPECTED -> Optional.of(new Payment(orderId, customerId, VOID, null, why, now));
            case CAPTURED -> Optional.of(new Payment(orderId, customerId, REFUNDED, amount, why, now));
            case DECLINED, VOID, REFUNDED -> Optional.empty();
        };
    }

    /** Whose money it is, and in which currency. */
    Wallet wallet() {
        return new Wallet(customerId, amount.currency());
    }

    /** What others are told about this status; a void payment is of interest to nobody. */
    Optional<OrderEvent> event() {
        return switch (status) {
            case CAPTURED -> Optional.of(new PaymentCaptured(orderId, amount, occurredAt));
            case DECLINED -> Optional.of(new PaymentDeclined(orderId, reason, occurredAt));
            case REFUNDED -> Optional.of(new PaymentRefunded(orderId, amount, occurredAt));
            case EXPECTED, VOID -> Optional.empty();
        };
    }

    /** How many events of this payment there are, up to the one of this status. */
    int version() {
        return switch (status) {
            case EXPECTED, VOID -> 0;
            case CAPTURED, DECLINED -> 1;
            case REFUNDED -> 2;
        };
    }
}
