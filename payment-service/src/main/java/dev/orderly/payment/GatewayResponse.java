package dev.orderly.payment;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.payment.Payment.Outcome;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * What the payment gateway says about a payment, by an answer or by a callback: the only two ways, and they settle alike
 * ({@link Settlement}).
 *
 * @param outcomes all that has happened to it, in order; nothing while the gateway is still at it
 * @param reason for which it was declined, in our words
 */
record GatewayResponse(String merchant, UUID paymentId, Money amount, List<Outcome> outcomes, String reason) {

    /** Other people's words get into events and mails only in this form. */
    private static final Pattern REASON = Pattern.compile("[a-z_]{1,40}");

    /** The gateway said what we do not understand. */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }
    }

    /** A payment as the gateway shows it. */
    record Shown(
            String merchant,
            @JsonProperty("id") UUID paymentId,
            Money amount,
            String status,
            String reason,
            String refund) {

        GatewayResponse report() throws Unreadable {
            var outcomes = switch (status) {
                case "processing" -> List.<Outcome>of();
                case "succeeded" ->
                    "succeeded".equals(refund)
                            ? List.of(Outcome.CAPTURED, Outcome.REFUNDED)
                            : List.of(Outcome.CAPTURED);
                case "failed", "cancelled" -> List.of(Outcome.DECLINED);
                default -> throw new Unreadable("a status that we do not know");
            };
            return new GatewayResponse(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** An event as the gateway tells it by callback, once or more often. */
    record Told(String id, String type, String merchant, UUID paymentId, Money amount, String reason) {

        private static final Pattern ID = Pattern.compile("[\\w-]{1,64}");
        private static final Pattern TYPE = Pattern.compile("[\\w.-]{1,64}");

        /** A type that we do not know is none of our business, as the gateway's next version may have more of them. */
        GatewayResponse report() {
            var outcomes = switch (type) {
                case "payment.succeeded" -> List.of(Outcome.CAPTURED);
                case "payment.failed", "payment.cancelled" -> List.of(Outcome.DECLINED);
                case "payment.refunded" -> List.of(Outcome.REFUNDED);
                default -> List.<Outcome>of();
            };
            return new GatewayResponse(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** @throws Unreadable when it is not what the gateway's documentation says an answer is */
    static Shown shown(byte[] json) throws Unreadable {
        var shown = read(Shown.class, json);
        require(shown.merchant, shown.paymentId, shown.amount, shown.status);
        return shown;
    }

    /** @throws Unreadable when it is not what the gateway's documentation says an event is */
    static Told told(byte[] json) throws Unreadable {
        var told = read(Told.class, json);
        require(told.id, told.type, told.merchant, told.paymentId, told.amount);
        if (!Told.ID.matcher(told.id).matches()) {
            throw new Unreadable("an id that is none");
        }
        if (!Told.TYPE.matcher(told.type).matches()) {
            throw new Unreadable("a type that is none");
        }
        return told;
    }

    private static <T> T read(Class<T> type, byte[] json) throws Unreadable {
        try {
            var read = EventJson.readValue(type, new String(json, StandardCharsets.UTF_8));
            if (read != null) {
                return read;
            }
        } catch (UncheckedIOException _) {
            // whose message may hold what was sent
        }
        throw new Unreadable("no " + type.getSimpleName());
    }

    private static void require(Object... fields) throws Unreadable {
        for (var field : fields) {
            if (field == null) {
                throw new Unreadable("a field is missing");
            }
        }
    }

    private static String declined(String reason) {
        return reason != null && REASON.matcher(reason).matches()
                ? "card declined: " + reason.replace('_', ' ')
                : "card declined";
    }
}
