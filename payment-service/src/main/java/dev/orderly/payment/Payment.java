package dev.orderly.payment;

import static dev.orderly.payment.Payment.Status.CANCELLING;
import static dev.orderly.payment.Payment.Status.CAPTURED;
import static dev.orderly.payment.Payment.Status.DECLINED;
import static dev.orderly.payment.Payment.Status.EXPECTED;
import static dev.orderly.payment.Payment.Status.REFUNDED;
import static dev.orderly.payment.Payment.Status.REFUNDING;
import static dev.orderly.payment.Payment.Status.REQUESTED;
import static dev.orderly.payment.Payment.Status.VOID;

import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * What became of the payment of an order. Every order is captured at most once and refunded at most once, and of one that
 * was cancelled no money is kept.
 *
 * <p>From the balance, decided at once:
 *
 * <pre>
 *              the balance suffices                   cancelled
 *   EXPECTED ────────────────────────► CAPTURED ────────────────────► REFUNDED
 *      ├───── it does not ───────────► DECLINED
 *      └───── cancelled ─────────────► VOID
 * </pre>
 *
 * By card, decided by the payment gateway, whenever it answers:
 *
 * <pre>
 *              captured                                 cancelled               refunded
 *   REQUESTED ─────────────► CAPTURED ─────────────────────────────► REFUNDING ──────────► REFUNDED
 *      ├────── declined ───► DECLINED ── captured after all ────────────▲
 *      └────── cancelled ──► CANCELLING ── captured all the same ───────┤
 *                                 └─────── declined ──► VOID ── late ───┘
 * </pre>
 *
 * @param amount what the order costs; null when we were never told, see {@link Status#VOID}
 * @param card what it is paid with; null when it is paid from the balance
 * @param reason why it was declined, voided or refunded; else null
 * @param occurredAt when it took this status
 * @param version how many events of it were published
 */
record Payment(
        UUID orderId,
        UUID customerId,
        Status status,
        Money amount,
        CardToken card,
        String reason,
        Instant occurredAt,
        int version) {

    enum Status {
        /** Nothing has happened yet; the only status that is not stored. */
        EXPECTED,
        /** The gateway is to capture it, or does so already, and has not said how that ended. */
        REQUESTED,
        CAPTURED,
        DECLINED,
        /** The order was cancelled, and whether the gateway has captured the payment nevertheless is not known yet. */
        CANCELLING,
        /** The order was cancelled before it was captured, so there is nothing to pay. */
        VOID,
        /** It was captured for an order that is not to be, and the gateway is to give it back. */
        REFUNDING,
        REFUNDED;

        /** Whether the gateway has to be asked until it changes. */
        boolean isOpen() {
            return this == REQUESTED || this == CANCELLING || this == REFUNDING;
        }
    }

    /** What the gateway says has happened to a payment. */
    enum GatewayOutcome {
        CAPTURED,
        DECLINED,
        REFUNDED
    }

    /** A payment as it is now, and what others are told of that, if anything. */
    record Change(Payment payment, Optional<OrderEvent> event) {}

    static Payment expected(UUID orderId, UUID customerId) {
        return new Payment(orderId, customerId, EXPECTED, null, null, null, null, 0);
    }

    /**
     * The order may be paid from the balance.
     *
     * @param balance what the customer has in the currency of the total; empty without an account in it
     * @return empty when this changes nothing
     */
    Optional<Change> due(Money total, Optional<Money> balance, Instant now) {
        if (status != EXPECTED) {
            return Optional.empty();
        }
        var due = costing(total, null);
        if (balance.map(Money::amount).orElse(0L) >= total.amount()) {
            return Optional.of(due.capturedAs(CAPTURED, null, now));
        }
        return Optional.of(due.declinedFor(
                balance.isPresent() ? "insufficient balance" : "no account in " + total.currency(), now));
    }

    /**
     * The order may be paid by card.
     *
     * @return empty when this changes nothing
     */
    Optional<Change> due(Money total, CardToken token, Instant now) {
        return status == EXPECTED
                ? Optional.of(costing(total, token).silently(REQUESTED, null, now))
                : Optional.empty();
    }

    /**
     * The order was cancelled.
     *
     * @return empty when this changes nothing
     */
    Optional<Change> cancelled(String why, Instant now) {
        return switch (status) {
            case EXPECTED -> Optional.of(silently(VOID, why, now));
            case REQUESTED -> Optional.of(silently(CANCELLING, why, now));
            case CAPTURED -> Optional.of(card == null ? refundedNow(why, now) : silently(REFUNDING, why, now));
            case DECLINED, CANCELLING, VOID, REFUNDING, REFUNDED -> Optional.empty();
        };
    }

    /**
     * The gateway says what happened.
     *
     * @param why it was declined; else ignored
     * @return empty when this changes nothing: it is known, or {@linkplain #isContradictedBy contradicts} what is
     */
    Optional<Change> on(GatewayOutcome outcome, String why, Instant now) {
        return switch (outcome) {
            case CAPTURED ->
                switch (status) {
                    case REQUESTED -> Optional.of(capturedAs(CAPTURED, null, now));
                    // Money that nobody waits for any more: nothing but a refund is right, whatever was said before.
                    case CANCELLING, VOID, DECLINED -> Optional.of(capturedAs(REFUNDING, reason, now));
                    case EXPECTED, CAPTURED, REFUNDING, REFUNDED -> Optional.empty();
                };
            case DECLINED ->
                switch (status) {
                    case REQUESTED -> Optional.of(declinedFor(why, now));
                    case CANCELLING -> Optional.of(silently(VOID, reason, now));
                    case EXPECTED, CAPTURED, DECLINED, VOID, REFUNDING, REFUNDED -> Optional.empty();
                };
            case REFUNDED -> status == REFUNDING ? Optional.of(refundedNow(reason, now)) : Optional.empty();
        };
    }

    /** Whether the gateway takes back what it said before, or did what nobody asked for: somebody has to look at it. */
    boolean isContradictedBy(GatewayOutcome outcome) {
        return switch (outcome) {
            case CAPTURED -> status == DECLINED || status == VOID;
            case DECLINED -> status == CAPTURED || status == REFUNDING || status == REFUNDED;
            case REFUNDED -> status != REFUNDING && status != REFUNDED;
        };
    }

    private Payment costing(Money total, CardToken token) {
        return new Payment(orderId, customerId, status, total, token, reason, occurredAt, version);
    }

    private Change silently(Status next, String why, Instant now) {
        return new Change(new Payment(orderId, customerId, next, amount, card, why, now, version), Optional.empty());
    }

    private Change telling(OrderEvent event, Status next, String why, Instant now) {
        return new Change(
                new Payment(orderId, customerId, next, amount, card, why, now, version + 1), Optional.of(event));
    }

    private Change capturedAs(Status next, String why, Instant now) {
        return telling(new PaymentCaptured(orderId, amount, now), next, why, now);
    }

    private Change declinedFor(String why, Instant now) {
        return telling(new PaymentDeclined(orderId, why, now), DECLINED, why, now);
    }

    private Change refundedNow(String why, Instant now) {
        return telling(new PaymentRefunded(orderId, amount, now), REFUNDED, why, now);
    }

    /** Whose money it is, and in which currency; not of a payment by card. */
    Wallet wallet() {
        return new Wallet(customerId, amount.currency());
    }
}
