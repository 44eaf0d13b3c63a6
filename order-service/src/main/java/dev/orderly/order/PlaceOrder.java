package dev.orderly.order;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.events.PaymentMethod;
import java.util.List;
import java.util.UUID;

/**
 * The command to place an order.
 *
 * @param cardId of a card that the customer has left with payment-service, which alone knows whether there is
 *     one; required with payment by card, null with any other method
 */
public record PlaceOrder(
        UUID customerId,
        List<Line> lines,
        PaymentMethod paymentMethod,
        @JsonInclude(JsonInclude.Include.NON_NULL) UUID cardId) {

    public record Line(String sku, int quantity) {}
}
