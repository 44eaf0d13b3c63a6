package dev.orderly.inventory;

/**
 * A change of what is available that no order makes.
 *
 * @param quantity how many there are by a count, or how many came with a delivery
 */
record Restock(Kind kind, long quantity) {

    /** A delivery adds, so two of them, or one and a sale, lose nothing; a count is true at its moment. */
    enum Kind {
        COUNT,
        DELIVERY
    }

    /** How many are available after it. */
    long available(Stock before) {
        return switch (kind) {
            case COUNT -> quantity;
            case DELIVERY -> before.available() + quantity;
        };
    }
}
