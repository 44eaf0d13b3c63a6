package dev.orderly.notification;

import java.time.Instant;
import java.util.UUID;

/**
 * The delivery status of a message about an order, as the HTTP interface shows it: without personal data.
 *
 * @param attempts including one that is in progress
 * @param sentAt when the mail server accepted the message, or null
 * @param error why the last attempt failed, or null
 */
public record Notification(
        UUID orderId, Message.Kind kind, State state, int attempts, Instant recordedAt, Instant sentAt, String error) {

    public enum State {
        /** Waits for its first attempt, or for a retry. */
        PENDING,
        /** Accepted by the mail server or the SMS provider. */
        SENT,
        /** Skipped on purpose: it expired, or its customer was erased. */
        VOID,
        /**
         * Not delivered within {@value DeliveryAttempt#MAX_ATTEMPTS} attempts, or its address is invalid: an
         * operator has to act.
         */
        FAILED
    }
}
