package dev.orderly.flashsale;

import java.time.Instant;
import java.util.UUID;

/**
 * A sale of few units for many buyers, one to each, first come first served.
 *
 * @param units that there are in all
 * @param granted units that are given away already
 * @param nextOffset of its partition of the intake: all before it is decided
 */
record FlashSale(String id, String sku, int units, Instant opensAt, Instant closesAt, int granted, long nextOffset) {

    /** What came of a buyer's wish. */
    enum Outcome {
        ORDERED,
        SOLD_OUT,
        /** The product cannot be ordered. */
        REFUSED
    }

    /** @param orderId when one was placed, else null */
    record Ticket(UUID customerId, Outcome outcome, UUID orderId) {}

    /**
     * More than could be served if each who waits got one: what is left, and some for those among them who get none since they
     * asked twice.
     */
    int mostWaiting() {
        return left() + Math.max(100, units / 10);
    }

    int left() {
        return units - granted;
    }

    boolean isSoldOut() {
        return left() == 0;
    }

    boolean isOpen(Instant now) {
        return !now.isBefore(opensAt) && now.isBefore(closesAt);
    }
}
