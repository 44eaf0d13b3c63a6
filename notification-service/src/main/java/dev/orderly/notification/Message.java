package dev.orderly.notification;

import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderRejected;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.UUID;

/**
 * A mail or an SMS to a customer. It contains no personal data: the recipient is looked up when it is sent,
 * so there is nothing to erase. All templates are in this class; a message that was recorded before a change
 * of a template keeps its text.
 *
 * <p>Text from events, such as a reason, goes into the body and never into the subject: a line break there
 * would inject a mail header.
 *
 * @param referenceId of the order, the customer or the verification that the message is about
 * @param expiresAt after which it is not sent any more, or null
 */
public record Message(UUID referenceId, Kind kind, UUID customerId, String subject, String body, Instant expiresAt) {

    /** Replaced by the code when the SMS is sent: the database never contains a code in clear text. */
    static final String CODE_PLACEHOLDER = "{code}";

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm 'UTC'", Locale.ROOT);

    /** At most one message of each kind exists per reference. */
    public enum Kind {
        /** An order ends in one of these three. */
        CONFIRMED,
        REJECTED,
        CANCELLED,
        /** References a customer. */
        WELCOME,
        /** References a verification. */
        CODE;

        Channel channel() {
            return this == CODE ? Channel.SMS : Channel.MAIL;
        }
    }

    enum Channel {
        MAIL,
        SMS
    }

    static Message welcome(UUID customerId) {
        return new Message(customerId, Kind.WELCOME, customerId, "Welcome to Orderly", """
                Hello,

                welcome to Orderly! We have sent a code to your phone: with it you show us that it is yours.

                If it was not you who registered, please ignore this mail.
                Your Orderly team
                """, null);
    }

    static Message code(UUID customerId, Verification verification) {
        return new Message(
                verification.id(),
                Kind.CODE,
                customerId,
                "",
                "Your code for Orderly is %s, valid until %s. We will never ask you for it."
                        .formatted(
                                CODE_PLACEHOLDER,
                                TIME.format(verification.expiresAt().atOffset(ZoneOffset.UTC))),
                verification.expiresAt());
    }

    static Message confirmed(OrderConfirmed order) {
        return new Message(
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
                """.formatted(order.id(), readable(order.total())),
                null);
    }

    static Message rejected(OrderRejected order) {
        return new Message(
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
                """.formatted(order.id(), order.reason()),
                null);
    }

    static Message cancelled(OrderCancelled order) {
        return new Message(
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
                """.formatted(order.id(), order.reason()),
                null);
    }

    /** By which receivers deduplicate: the same for every copy of this message. */
    String id() {
        return referenceId + "." + kind.name().toLowerCase(Locale.ROOT);
    }

    /** Mail about an order goes to the customer's alias when there is no contact. */
    boolean needsContact() {
        return kind == Kind.WELCOME || kind == Kind.CODE;
    }

    /** For example 39.98 EUR. */
    private static String readable(Money money) {
        var currency = money.currency();
        return BigDecimal.valueOf(money.amount(), currency.getDefaultFractionDigits()) + " "
                + currency.getCurrencyCode();
    }
}
