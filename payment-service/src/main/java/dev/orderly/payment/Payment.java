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
 * The payment of an order. An order is captured at most once and refunded at most once, and of a cancelled
 * order no money is kept.
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
 * By card, decided by the payment gateway, asynchronously:
 *
 * <pre>
 *              captured                                 cancelled               refunded
 *   REQUESTED ─────────────► CAPTURED ─────────────────────────────► REFUNDING ──────────► REFUNDED
 *      ├────── declined ───► DECLINED ── captured after all ────────────▲
 *      └────── cancelled ──► CANCELLING ── captured all the same ───────┤
 *                                 └─────── declined ──► VOID ── late ───┘
 * </pre>
 *
 * @param amount what the order costs; null when it was cancelled before that was known
 * @param byCard whether it is paid by card, and not from the balance
 * @param card its token; null when it is not paid by card, when the card was refused here, and when it has
 *     been settled for a day
 * @param reason why it was declined, voided or refunded; else null
 * @param occurredAt when it entered this status
 * @param version how many events were published about it
 */
record Payment(
        UUID orderId,
        UUID customerId,
        Status status,
        Money amount,
        boolean byCard,
        CardToken card,
        String reason,
        Instant occurredAt,
        int version) {

    enum Status {
        /** No event has been processed yet; the only status that is not stored. */
        EXPECTED,
        /** The gateway has to capture it, and has not reported the outcome. */
        REQUESTED,
        CAPTURED,
        DECLINED,
        /** The order was cancelled, and the gateway has not reported whether it captured the payment. */
        CANCELLING,
        /** The order was cancelled before the capture: there is nothing to pay. */
        VOID,
        /** It was captured for an order that is cancelled or declined, and the gateway must refund it. */
        REFUNDING,
        REFUNDED;

        /** Whether the gateway must be called until this changes. */
        boolean isOpen() {
            return this == REQUESTED || this == CANCELLING || this == REFUNDING;
        }
    }

    /** What the gateway reports to have happened to a payment. */
    enum GatewayOutcome {
        CAPTURED,
        DECLINED,
        REFUNDED
    }

    /** A payment after a transition, and the event to publish about it, if any. */
    record Change(Payment payment, Optional<OrderEvent> event) {}

    static Payment expected(UUID orderId, UUID customerId) {
        return new Payment(orderId, customerId, EXPECTED, null, false, null, null, null, 0);
    }

    /**
     * The stock is reserved, and the order is paid from the balance.
     *
     * @param balance what the customer has in the currency of the total; empty without an account in it
     * @return empty when this changes nothing
     */
    Optional<Change> payFromBalance(Money total, Optional<Money> balance, Instant now) {
        if (status != EXPECTED) {
            return Optional.empty();
        }
        var due = withAmount(total, false, null);
        if (balance.map(Money::amount).orElse(0L) >= total.amount()) {
            return Optional.of(due.capture(CAPTURED, null, now));
        }
        return Optional.of(
                due.decline(balance.isPresent() ? "insufficient balance" : "no account in " + total.currency(), now));
    }

    /**
     * The stock is reserved, and the order is paid by card.
     *
     * @return empty when this changes nothing
     */
    Optional<Change> requestCapture(Money total, CardToken token, Instant now) {
        return status == EXPECTED
                ? Optional.of(withAmount(total, true, token).withoutEvent(REQUESTED, null, now))
                : Optional.empty();
    }

    /**
     * The stock is reserved, and the order names a card that cannot be charged for it.
     *
     * @return empty when this changes nothing
     */
    Optional<Change> refuseCard(Money total, String why, Instant now) {
        return status == EXPECTED ? Optional.of(withAmount(total, true, null).decline(why, now)) : Optional.empty();
    }

    /**
     * The order is cancelled.
     *
     * @return empty when this changes nothing
     */
    Optional<Change> cancel(String why, Instant now) {
        return switch (status) {
            case EXPECTED -> Optional.of(withoutEvent(VOID, why, now));
            case REQUESTED -> Optional.of(withoutEvent(CANCELLING, why, now));
            case CAPTURED -> Optional.of(byCard ? withoutEvent(REFUNDING, why, now) : refund(why, now));
            case DECLINED, CANCELLING, VOID, REFUNDING, REFUNDED -> Optional.empty();
        };
    }

    /**
     * The gateway reports what happened.
     *
     * @param why it was declined; else ignored
     * @return empty when this changes nothing: it is a repetition, or {@linkplain #isContradictedBy wrong}
     */
    Optional<Change> on(GatewayOutcome outcome, String why, Instant now) {
        return switch (outcome) {
            case CAPTURED ->
                switch (status) {
                    case REQUESTED -> Optional.of(capture(CAPTURED, null, now));
                    // No order needs this money: only a refund is right, whatever was published before.
                    case CANCELLING, VOID, DECLINED -> Optional.of(capture(REFUNDING, reason, now));
                    case EXPECTED, CAPTURED, REFUNDING, REFUNDED -> Optional.empty();
                };
            case DECLINED ->
                switch (status) {
                    case REQUESTED -> Optional.of(decline(why, now));
                    case CANCELLING -> Optional.of(withoutEvent(VOID, reason, now));
                    case EXPECTED, CAPTURED, DECLINED, VOID, REFUNDING, REFUNDED -> Optional.empty();
                };
            case REFUNDED -> status == REFUNDING ? Optional.of(refund(reason, now)) : Optional.empty();
        };
    }

    /** Whether the gateway revokes an earlier outcome, or reports one that was never requested. */
    boolean isContradictedBy(GatewayOutcome outcome) {
        return switch (outcome) {
            case CAPTURED -> status == DECLINED || status == VOID;
            case DECLINED -> status == CAPTURED || status == REFUNDING || status == REFUNDED;
            case REFUNDED -> status != REFUNDING && status != REFUNDED;
        };
    }

    private Payment withAmount(Money total, boolean paidByCard, CardToken token) {
        return new Payment(orderId, customerId, status, total, paidByCard, token, reason, occurredAt, version);
    }

    private Change withoutEvent(Status next, String why, Instant now) {
        return new Change(
                new Payment(orderId, customerId, next, amount, byCard, card, why, now, version), Optional.empty());
    }

    private Change publishing(OrderEvent event, Status next, String why, Instant now) {
        return new Change(
                new Payment(orderId, customerId, next, amount, byCard, card, why, now, version + 1),
                Optional.of(event));
    }

    private Change capture(Status next, String why, Instant now) {
        return publishing(new PaymentCaptured(orderId, amount, now), next, why, now);
    }

    private Change decline(String why, Instant now) {
        return publishing(new PaymentDeclined(orderId, why, now), DECLINED, why, now);
    }

    private Change refund(String why, Instant now) {
        return publishing(new PaymentRefunded(orderId, amount, now), REFUNDED, why, now);
    }

    /** The wallet it is paid from, unless it is paid by card. */
    Wallet wallet() {
        return new Wallet(customerId, amount.currency());
    }
}
