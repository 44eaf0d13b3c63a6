package dev.orderly.flashsale;

import java.time.Instant;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * A sale of few units to many buyers, one to each, first come first served.
 *
 * @param units in total
 * @param granted units that buyers have got
 * @param nextOffset in the sale's partition of the topic: all buyers before it are decided
 */
record FlashSale(String id, String sku, int units, Instant opensAt, Instant closesAt, int granted, long nextOffset) {

    static final String ID_FORM = "[a-z0-9][a-z0-9-]{0,63}";
    static final Pattern ID = Pattern.compile(ID_FORM);

    enum TicketOutcome {
        ORDERED,
        SOLD_OUT,
        /** The product cannot be ordered. */
        REFUSED
    }

    /** @param orderId of the order that was placed, or null */
    record Ticket(UUID customerId, TicketOutcome outcome, UUID orderId) {}

    /** What is left, and a reserve: some of those queued get no unit, because they asked twice. */
    int maxQueued() {
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
