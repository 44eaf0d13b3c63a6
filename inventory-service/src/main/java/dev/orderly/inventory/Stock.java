package dev.orderly.inventory;

/**
 * The quantities of a SKU: available, reserved for open orders, and sold with confirmed ones. An order moves
 * quantities between the three; only restocking adds or removes any.
 */
public record Stock(String sku, long available, long reserved, long sold) {

    /** @throws IllegalArgumentException when a quantity is negative: no move may take more than there is */
    public Stock {
        if (available < 0 || reserved < 0 || sold < 0) {
            throw new IllegalArgumentException("negative stock of " + sku + ": " + available + " available, " + reserved
                    + " reserved, " + sold + " sold");
        }
    }

    boolean suffices(long quantity) {
        return quantity <= available;
    }

    Stock reserve(long quantity) {
        return new Stock(sku, available - positive(quantity), reserved + quantity, sold);
    }

    Stock sell(long quantity) {
        return new Stock(sku, available, reserved - positive(quantity), sold + quantity);
    }

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
