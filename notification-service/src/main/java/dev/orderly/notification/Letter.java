package dev.orderly.notification;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderRejected;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.UUID;

/**
 * What a customer is told about an order. All texts are here, for whoever wants to change the wording; a letter that was
 * recorded before keeps its own.
 *
 * <p>Texts from events, such as reasons, go into the body and never into the subject: a line break there would start
 * another header.
 */
public record Letter(UUID orderId, Kind kind, UUID customerId, String subject, String body) {

    /** An order ends in one of these, so there is one letter of each at most. */
    public enum Kind {
        CONFIRMED,
        REJECTED,
        CANCELLED
    }

    static Letter about(OrderConfirmed order) {
        return new Letter(
                order.id(),
                Kind.CONFIRMED,
                order.customerId(),
                "Your order %s is confirmed".formatted(order.id()),
                """
                Hello,

                good news: your order %s is paid and confirmed.
                The total is %s.

                Thank you for shopping with us!
                Your Orderly team
                """.formatted(order.id(), readable(order.total())));
    }

    static Letter about(OrderRejected order) {
        return new Letter(
                order.id(),
                Kind.REJECTED,
                order.customerId(),
                "Your order %s could not be accepted".formatted(order.id()),
                """
                Hello,

                we are sorry: we could not accept your order %s.
                The reason: %s

                You have not been charged. We hope to see you again soon.
                Your Orderly team
                """.formatted(order.id(), order.reason()));
    }

    static Letter about(OrderCancelled order) {
        return new Letter(
                order.id(),
                Kind.CANCELLED,
                order.customerId(),
                "Your order %s is cancelled".formatted(order.id()),
                """
                Hello,

                your order %s is cancelled.
                The reason: %s

                If you have paid for it already, the money is on its way back to you.
                Your Orderly team
                """.formatted(order.id(), order.reason()));
    }

    /** The same for every copy of this letter, and unlike that of any other. */
    String id() {
        return orderId + "." + kind.name().toLowerCase(Locale.ROOT);
    }

    /** For example 39.98 EUR. */
    private static String readable(Money money) {
        var currency = money.currency();
        return BigDecimal.valueOf(money.amount(), currency.getDefaultFractionDigits()) + " "
                + currency.getCurrencyCode();
    }
}
