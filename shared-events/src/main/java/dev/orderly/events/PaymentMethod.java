package dev.orderly.events;

/** How the customer pays. */
public enum PaymentMethod {
    /** From the balance of the customer's account with us. */
    BALANCE,
    /** By card, through the payment gateway; goes with a {@link CardToken}. */
    CARD
}
