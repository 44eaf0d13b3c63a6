package dev.orderly.payment;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.orderly.events.EventJson;
import dev.orderly.events.Money;
import dev.orderly.payment.Payment.GatewayOutcome;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * What the payment gateway says about a payment, by an answer or by a callback: the only two ways, and they settle alike
 * ({@link GatewayResultHandler}).
 *
 * @param outcomes all that has happened to it, in order; nothing while the gateway is still at it
 * @param reason for which it was declined, in our words
 */
record GatewayResult(String merchant, UUID paymentId, Money amount, List<GatewayOutcome> outcomes, String reason) {

    /** Other people's words get into events and mails only in this form. */
    private static final Pattern REASON = Pattern.compile("[a-z_]{1,40}");

    /** The gateway said what we do not understand. */
    static final class ProtocolViolation extends Exception {
        private static final long serialVersionUID = 1L;

        ProtocolViolation(String message) {
            super(message);
        }
    }

    /** A payment as the gateway shows it. */
    record PaymentResponse(
            String merchant,
            @JsonProperty("id") UUID paymentId,
            Money amount,
            String status,
            String reason,
            String refund) {

        GatewayResult report() throws ProtocolViolation {
            var outcomes = switch (status) {
                case "processing" -> List.<GatewayOutcome>of();
                case "succeeded" ->
                    "succeeded".equals(refund)
                            ? List.of(GatewayOutcome.CAPTURED, GatewayOutcome.REFUNDED)
                            : List.of(GatewayOutcome.CAPTURED);
                case "failed", "cancelled" -> List.of(GatewayOutcome.DECLINED);
                default -> throw new ProtocolViolation("a status that we do not know");
            };
            return new GatewayResult(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** An event as the gateway tells it by callback, once or more often. */
    record CallbackEvent(String id, String type, String merchant, UUID paymentId, Money amount, String reason) {

        private static final Pattern ID = Pattern.compile("[\\w-]{1,64}");
        private static final Pattern TYPE = Pattern.compile("[\\w.-]{1,64}");

        /** A type that we do not know is none of our business, as the gateway's next version may have more of them. */
        GatewayResult report() {
            var outcomes = switch (type) {
                case "payment.succeeded" -> List.of(GatewayOutcome.CAPTURED);
                case "payment.failed", "payment.cancelled" -> List.of(GatewayOutcome.DECLINED);
                case "payment.refunded" -> List.of(GatewayOutcome.REFUNDED);
                default -> List.<GatewayOutcome>of();
            };
            return new GatewayResult(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** @throws ProtocolViolation when it is not what the gateway's documentation says an answer is */
    static PaymentResponse shown(byte[] json) throws ProtocolViolation {
        var shown = read(PaymentResponse.class, json);
        require(shown.merchant, shown.paymentId, shown.amount, shown.status);
        return shown;
    }

    /** @throws ProtocolViolation when it is not what the gateway's documentation says an event is */
    static CallbackEvent told(byte[] json) throws ProtocolViolation {
        var told = read(CallbackEvent.class, json);
        require(told.id, told.type, told.merchant, told.paymentId, told.amount);
        if (!CallbackEvent.ID.matcher(told.id).matches()) {
            throw new ProtocolViolation("an id that is none");
        }
        if (!CallbackEvent.TYPE.matcher(told.type).matches()) {
            throw new ProtocolViolation("a type that is none");
        }
        return told;
    }

    private static <T> T read(Class<T> type, byte[] json) throws ProtocolViolation {
        try {
            var read = EventJson.readValue(type, new String(json, StandardCharsets.UTF_8));
            if (read != null) {
                return read;
            }
        } catch (UncheckedIOException _) {
            // whose message may hold what was sent
        }
        throw new ProtocolViolation("no " + type.getSimpleName());
    }

    private static void require(Object... fields) throws ProtocolViolation {
        for (var field : fields) {
            if (field == null) {
                throw new ProtocolViolation("a field is missing");
            }
        }
    }

    private static String declined(String reason) {
        return reason != null && REASON.matcher(reason).matches()
                ? "card declined: " + reason.replace('_', ' ')
                : "card declined";
    }
}
