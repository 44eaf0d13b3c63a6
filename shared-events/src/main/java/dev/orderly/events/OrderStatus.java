package dev.orderly.events;

/** The status that an event puts an order in. Only the {@link #isTerminal() terminal} ones decide it. */
public enum OrderStatus {
    PENDING,
    RESERVED,
    OUT_OF_STOCK,
    PAID,
    DECLINED,
    CONFIRMED,
    REJECTED,
    CANCELLED,
    /** The money of an order that was not confirmed is back with the customer; the order stays as it is. */
    REFUNDED;

    /** Whether an order in this status never changes again. */
    public boolean isTerminal() {
        return this == CONFIRMED || this == REJECTED || this == CANCELLED;
    }
}
