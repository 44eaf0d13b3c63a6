package dev.orderly.inventory;

/**
 * How many pieces of a SKU there are: free to be ordered, set aside for orders that are under way, and gone with those
 * that were confirmed. An order moves pieces between the three; only restocking adds or removes any.
 */
public record Stock(String sku, long available, long reserved, long sold) {

    /** @throws IllegalArgumentException when a number is negative: what would take more than there is has no result */
    public Stock {
        if (available < 0 || reserved < 0 || sold < 0) {
            throw new IllegalArgumentException("negative stock of " + sku + ": " + available + " available, " + reserved
                    + " reserved, " + sold + " sold");
        }
    }

    boolean suffices(long quantity) {
        return quantity <= available;
    }

    /** Sets pieces aside. */
    Stock reserve(long quantity) {
        return new Stock(sku, available - positive(quantity), reserved + quantity, sold);
    }

    /** Sells pieces that were set aside. */
    Stock sell(long quantity) {
        return new Stock(sku, available, reserved - positive(quantity), sold + quantity);
    }

    /** Makes pieces available again that were set aside. */
    Stock release(long quantity) {
        return new Stock(sku, available + positive(quantity), reserved - quantity, sold);
    }

    private static long positive(long quantity) {
        if (quantity < 1) {
            throw new IllegalArgumentException("quantity must be positive: " + quantity);
        }
        return quantity;
    }
}
