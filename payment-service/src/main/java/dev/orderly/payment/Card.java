package dev.orderly.payment;

import dev.orderly.events.CardToken;
import java.util.Optional;
import java.util.UUID;

/**
 * A card that a customer has left, as an order finds it. It is for one order of this customer, within a day.
 *
 * @param token null when an order has taken it
 */
record Card(UUID id, UUID customerId, CardToken token, boolean expired) {

    static final String UNKNOWN = "unknown card";

    /**
     * Why it is not charged for an order of this customer; empty when it is. That of another customer is as
     * unknown as one that was never left.
     */
    Optional<String> refusal(UUID customer) {
        if (!customerId.equals(customer)) {
            return Optional.of(UNKNOWN);
        }
        if (token == null) {
            return Optional.of("the card was left for another order");
        }
        return expired ? Optional.of("the card was left too long ago") : Optional.empty();
    }

    Card claimed() {
        return new Card(id, customerId, null, expired);
    }
}
