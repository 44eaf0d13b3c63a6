package dev.orderly.order;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.events.CardToken;
import dev.orderly.events.PaymentMethod;
import java.util.List;
import java.util.UUID;

/**
 * The command to place an order.
 *
 * @param cardToken required with payment by card, null with any other method
 */
public record PlaceOrder(
        UUID customerId,
        List<Line> lines,
        PaymentMethod paymentMethod,
        @JsonInclude(JsonInclude.Include.NON_NULL) CardToken cardToken) {

    public record Line(String sku, int quantity) {}
}
