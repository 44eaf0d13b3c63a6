package dev.orderly.payment;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.payment.Payment.Change;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A movement of money between the payer and the merchant, for an order. By card, the payer is the payment
 * gateway: it has the customer's money and owes it to the merchant. (Deposits, from the bank to a customer,
 * are in {@link Ledger}.)
 *
 * @param wallet whose balance it changes; empty when the payer is the gateway
 * @param balance of the wallet after the transfer; empty without a wallet
 */
record Transfer(
        Kind kind, Optional<Wallet> wallet, UUID orderId, Money amount, Optional<Money> balance, Instant occurredAt) {

    private static final String MERCHANT = "merchant";
    private static final String GATEWAY = "gateway";

    enum Kind {
        CAPTURE,
        REFUND
    }

    /**
     * The transfer that belongs to a change of a payment: money moves exactly when a capture or a refund is
     * published.
     *
     * @param before balance of the payment's wallet; ignored when it is paid by card
     * @throws IllegalArgumentException when the balance is less than the amount
     */
    static Optional<Transfer> of(Change change, Money before) {
        var payment = change.payment();
        return kind(change).map(kind -> {
            var byCard = payment.byCard();
            return new Transfer(
                    kind,
                    byCard ? Optional.empty() : Optional.of(payment.wallet()),
                    payment.orderId(),
                    payment.amount(),
                    byCard ? Optional.empty() : Optional.of(after(kind, before, payment.amount())),
                    payment.occurredAt());
        });
    }

    private static Optional<Kind> kind(Change change) {
        return change.event().flatMap(event -> switch (event) {
            case PaymentCaptured _ -> Optional.of(Kind.CAPTURE);
            case PaymentRefunded _ -> Optional.of(Kind.REFUND);
            default -> Optional.empty();
        });
    }

    private static Money after(Kind kind, Money before, Money amount) {
        return switch (kind) {
            case CAPTURE -> new Money(before.amount() - amount.amount(), before.currency());
            case REFUND -> before.plus(amount);
        };
    }

    static String account(UUID customerId) {
        return "customer:" + customerId;
    }

    private String payer() {
        return wallet.map(Wallet::customerId).map(Transfer::account).orElse(GATEWAY);
    }

    String from() {
        return switch (kind) {
            case CAPTURE -> payer();
            case REFUND -> MERCHANT;
        };
    }

    String to() {
        return switch (kind) {
            case REFUND -> payer();
            case CAPTURE -> MERCHANT;
        };
    }

    /** Of the payer's balance, in minor units; negative for a capture. */
    long change() {
        return switch (kind) {
            case REFUND -> amount.amount();
            case CAPTURE -> -amount.amount();
        };
    }
}
