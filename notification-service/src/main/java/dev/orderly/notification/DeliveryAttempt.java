package dev.orderly.notification;

import dev.orderly.notification.Notification.State;
import java.time.Duration;
import java.util.regex.Pattern;

/**
 * One attempt to deliver a message, and the retry policy: exponential backoff from {@link #MIN_BACKOFF} to
 * {@link #MAX_BACKOFF}; after {@link #MAX_ATTEMPTS}, about a day, the message has failed; at once if its
 * address is invalid, or the server refuses it permanently.
 *
 * @param recipient mail address or phone number; null when the customer has no contact
 * @param number 1 for the first attempt
 * @param traceparent of the sampled trace that the message belongs to, or null
 */
record DeliveryAttempt(Message message, String recipient, int number, String traceparent) {

    static final int MAX_ATTEMPTS = 150;
    static final Duration MIN_BACKOFF = Duration.ofSeconds(1);
    static final Duration MAX_BACKOFF = Duration.ofMinutes(10);

    /** More would only overflow: the backoff has reached its maximum by then. */
    private static final int MAX_DOUBLINGS = 10;

    private static final int MAX_ERROR_LENGTH = 500;

    /**
     * @param backoff before the next attempt; zero when there is none
     * @param error why the message was not sent, or null when it was
     */
    record DeliveryOutcome(DeliveryAttempt attempt, State state, Duration backoff, String error) {}

    DeliveryOutcome succeeded() {
        return new DeliveryOutcome(this, State.SENT, Duration.ZERO, null);
    }

    DeliveryOutcome skipped(String reason) {
        return new DeliveryOutcome(this, State.VOID, Duration.ZERO, reason);
    }

    /** @param error as the server reported it; it may quote the recipient, which must not be stored here */
    DeliveryOutcome failed(String error) {
        return number < MAX_ATTEMPTS
                ? new DeliveryOutcome(this, State.PENDING, backoff(), storable(error))
                : rejected(error);
    }

    /** It cannot be delivered, whatever the number of attempts. */
    DeliveryOutcome rejected(String error) {
        return new DeliveryOutcome(this, State.FAILED, Duration.ZERO, storable(error));
    }

    private String storable(String error) {
        // In any case: a server may report the address as it is stored there.
        var anonymous = recipient == null
                ? error
                : Pattern.compile(Pattern.quote(recipient), Pattern.CASE_INSENSITIVE)
                        .matcher(error)
                        .replaceAll("…");
        var line = anonymous.replaceAll("[\\s\\p{Cntrl}]+", " "); // also NUL, which PostgreSQL cannot store
        return line.substring(0, Math.min(line.length(), MAX_ERROR_LENGTH));
    }

    private Duration backoff() {
        var doubled = MIN_BACKOFF.multipliedBy(1L << Math.min(number - 1, MAX_DOUBLINGS));
        return doubled.compareTo(MAX_BACKOFF) < 0 ? doubled : MAX_BACKOFF;
    }
}
