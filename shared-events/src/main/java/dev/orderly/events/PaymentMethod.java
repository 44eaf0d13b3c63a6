package dev.orderly.events;

/** How the customer pays. */
public enum PaymentMethod {
    /** From the balance of the customer's account with us. */
    BALANCE,
    /** By a card that the customer has left with payment-service, through the payment gateway. */
    CARD
}
