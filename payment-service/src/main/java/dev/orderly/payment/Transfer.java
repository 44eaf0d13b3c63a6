package dev.orderly.payment;

import dev.orderly.events.Money;
import java.time.Instant;
import java.util.UUID;

/**
 * A movement of money between a customer and the merchant, for an order. (Deposits, between the bank and a customer, are
 * the {@link Ledger}'s alone.)
 *
 * @param balance what the customer has in this currency after it
 */
record Transfer(Kind kind, UUID customerId, UUID orderId, Money amount, Money balance, Instant occurredAt) {

    private static final String MERCHANT = "merchant";

    enum Kind {
        CAPTURE,
        REFUND
    }

    /** @throws IllegalArgumentException when the customer has less */
    static Transfer capture(Payment payment, Money before) {
        var after = new Money(before.amount() - payment.amount().amount(), before.currency());
        return of(Kind.CAPTURE, payment, after);
    }

    static Transfer refund(Payment payment, Money before) {
        return of(Kind.REFUND, payment, before.plus(payment.amount()));
    }

    private static Transfer of(Kind kind, Payment payment, Money balance) {
        return new Transfer(
                kind, payment.customerId(), payment.orderId(), payment.amount(), balance, payment.occurredAt());
    }

    static String account(UUID customerId) {
        return "customer:" + customerId;
    }

    String from() {
        return switch (kind) {
            case CAPTURE -> account(customerId);
            case REFUND -> MERCHANT;
        };
    }

    String to() {
        return switch (kind) {
            case REFUND -> account(customerId);
            case CAPTURE -> MERCHANT;
        };
    }

    Wallet wallet() {
        return new Wallet(customerId, amount.currency());
    }

    /** Of the customer's balance, in minor units. */
    long change() {
        return switch (kind) {
            case REFUND -> amount.amount();
            case CAPTURE -> -amount.amount();
        };
    }
}
