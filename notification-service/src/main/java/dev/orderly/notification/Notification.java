package dev.orderly.notification;

import java.time.Instant;
import java.util.UUID;

/**
 * How far a customer has been told about an order, for those who ask. It names no person and no address.
 *
 * @param attempts to send it, including one that is under way
 * @param sentAt when the mail server took it over, or null
 * @param error why the last attempt failed, or null
 */
public record Notification(
        UUID orderId, Message.Kind kind, State state, int attempts, Instant recordedAt, Instant sentAt, String error) {

    public enum State {
        /** Will be sent, or tried again. */
        PENDING,
        /** The mail server has it. */
        SENT,
        /** Not sent, and rightly: it came too late, or its customer was erased. */
        VOID,
        /** Given up after {@value DeliveryAttempt#MAX} attempts; somebody has to look at it. */
        FAILED
    }
}
