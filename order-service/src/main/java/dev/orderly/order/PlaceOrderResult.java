package dev.orderly.order;

import java.util.Set;

/** The result of {@link PlaceOrder}: an order, or the one reason why there is none. */
public sealed interface PlaceOrderResult {

    record Placed(Order order) implements PlaceOrderResult {}

    /** The same command placed this order before, under the same idempotency key. */
    record Replayed(Order order) implements PlaceOrderResult {}

    /** The customer used the idempotency key before, for another command. */
    record KeyReused() implements PlaceOrderResult {}

    /** These are not in the catalogue. */
    record UnknownProducts(Set<String> skus) implements PlaceOrderResult {}

    /** The prices are in several currencies, or their sum is out of range. */
    record InvalidTotal(String reason) implements PlaceOrderResult {}

    /** More orders of the payment method are undecided than can be decided in time. */
    record Overloaded() implements PlaceOrderResult {}
}
