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
 * What the payment gateway reports about a payment, in the response to a request or in a callback. Both take
 * effect alike ({@link GatewayResultHandler}).
 *
 * @param outcomes all that has happened to the payment, in order; empty while the gateway is processing it
 * @param reason why it was declined, in our wording
 */
record GatewayResult(String merchant, UUID paymentId, Money amount, List<GatewayOutcome> outcomes, String reason) {

    /** Text of another party gets into events and mails only in this form. */
    private static final Pattern REASON = Pattern.compile("[a-z_]{1,40}");

    /** The gateway sent what its API does not specify. */
    static final class ProtocolViolation extends Exception {
        private static final long serialVersionUID = 1L;

        ProtocolViolation(String message) {
            super(message);
        }
    }

    /** The state of a payment, in the body of a response. */
    record PaymentResponse(
            String merchant,
            @JsonProperty("id") UUID paymentId,
            Money amount,
            String status,
            String reason,
            String refund) {

        GatewayResult result() throws ProtocolViolation {
            var outcomes = switch (status) {
                case "processing" -> List.<GatewayOutcome>of();
                case "succeeded" ->
                    "succeeded".equals(refund)
                            ? List.of(GatewayOutcome.CAPTURED, GatewayOutcome.REFUNDED)
                            : List.of(GatewayOutcome.CAPTURED);
                case "failed", "cancelled" -> List.of(GatewayOutcome.DECLINED);
                default -> throw new ProtocolViolation("unknown status");
            };
            return new GatewayResult(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** A change of a payment, in the body of a callback, which the gateway delivers at least once. */
    record CallbackEvent(String id, String type, String merchant, UUID paymentId, Money amount, String reason) {

        private static final Pattern ID = Pattern.compile("[\\w-]{1,64}");
        private static final Pattern TYPE = Pattern.compile("[\\w.-]{1,64}");

        /** An unknown type has no outcome: the gateway's next version may add some. */
        GatewayResult result() {
            var outcomes = switch (type) {
                case "payment.succeeded" -> List.of(GatewayOutcome.CAPTURED);
                case "payment.failed", "payment.cancelled" -> List.of(GatewayOutcome.DECLINED);
                case "payment.refunded" -> List.of(GatewayOutcome.REFUNDED);
                default -> List.<GatewayOutcome>of();
            };
            return new GatewayResult(merchant, paymentId, amount, outcomes, declined(reason));
        }
    }

    /** @throws ProtocolViolation when the body is not what the gateway's API specifies for a response */
    static GatewayResult ofResponse(byte[] json) throws ProtocolViolation {
        var response = read(PaymentResponse.class, json);
        require(response.merchant, response.paymentId, response.amount, response.status);
        return response.result();
    }

    /** @throws ProtocolViolation when the body is not what the gateway's API specifies for a callback */
    static CallbackEvent readCallback(byte[] json) throws ProtocolViolation {
        var event = read(CallbackEvent.class, json);
        require(event.id, event.type, event.merchant, event.paymentId, event.amount);
        if (!CallbackEvent.ID.matcher(event.id).matches()) {
            throw new ProtocolViolation("malformed id");
        }
        if (!CallbackEvent.TYPE.matcher(event.type).matches()) {
            throw new ProtocolViolation("malformed type");
        }
        return event;
    }

    private static <T> T read(Class<T> type, byte[] json) throws ProtocolViolation {
        try {
            var read = EventJson.readValue(type, new String(json, StandardCharsets.UTF_8));
            if (read != null) {
                return read;
            }
        } catch (UncheckedIOException _) {
            // Not the cause of what is thrown: its message may quote the body.
        }
        throw new ProtocolViolation("not a " + type.getSimpleName());
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
