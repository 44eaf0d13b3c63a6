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
 * What a customer is told, about an order or about themselves, by mail or by SMS. It names no person: who they are is looked up
 * when it is sent, so that there is nothing to erase here. All texts are here, for whoever wants to change the wording; a letter that was
 * recorded before keeps its own.
 *
 * <p>Texts from events, such as reasons, go into the body and never into the subject: a line break there would start
 * another header.
 */
public record Message(UUID about, Kind kind, UUID customerId, String subject, String body, Instant expiresAt) {

    /** Stands in the text of an SMS for the code, which is nowhere in the clear. */
    static final String CODE = "{code}";

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm 'UTC'", Locale.ROOT);

    /** There is one letter of each kind at most about one thing. */
    public enum Kind {
        /** An order ends in one of these three. */
        CONFIRMED,
        REJECTED,
        CANCELLED,
        /** About a customer, who has registered. */
        WELCOME,
        /** About a verification; the only one that goes by SMS. */
        CODE;

        Channel channel() {
            return this == CODE ? Channel.SMS : Channel.MAIL;
        }
    }

    /** By which a letter goes; what hangs in the one is no concern of the other. */
    enum Channel {
        MAIL,
        SMS
    }

    static Message welcome(UUID customer) {
        return new Message(customer, Kind.WELCOME, customer, "Welcome to Orderly", """
                Hello,

                welcome to Orderly! We have sent a code to your phone: with it you show us that it is yours.

                If it was not you who registered, please ignore this mail.
                Your Orderly team
                """, null);
    }

    static Message code(UUID customer, Verification verification) {
        return new Message(
                verification.id(),
                Kind.CODE,
                customer,
                "",
                "Your code for Orderly is %s, valid until %s. We will never ask you for it."
                        .formatted(CODE, TIME.format(verification.expiresAt().atOffset(ZoneOffset.UTC))),
                verification.expiresAt());
    }

    static Message about(OrderConfirmed order) {
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

    static Message about(OrderRejected order) {
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

    static Message about(OrderCancelled order) {
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

    /** The same for every copy of this letter, and unlike that of any other. */
    String id() {
        return about + "." + kind.name().toLowerCase(Locale.ROOT);
    }

    /** Whether it can only be sent to somebody who has told us where: a customer without an address gets mail by alias. */
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
