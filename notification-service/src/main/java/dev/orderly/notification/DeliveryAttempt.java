package dev.orderly.notification;

import dev.orderly.notification.Notification.State;
import java.time.Duration;

/**
 * One try to send a letter, and the rules for the next: pauses double from {@link #MIN_PAUSE} to {@link #MAX_PAUSE}, and
 * after {@link #MAX} tries, about a day, it is given up.
 *
 * @param to the mail address or the phone, or null when we know none
 * @param number 1 for the first
 */
record DeliveryAttempt(Message letter, String to, int number) {

    static final int MAX = 150;
    static final Duration MIN_PAUSE = Duration.ofSeconds(1);
    static final Duration MAX_PAUSE = Duration.ofMinutes(10);

    /** Doublings after which every pause is the longest. */
    private static final int MAX_DOUBLINGS = 10;

    /** Characters of what a server said; the rest is cut off. */
    private static final int MAX_ERROR = 500;

    /**
     * @param pause before the next attempt; zero when there is none
     * @param error why the letter was not sent, or null when it was
     */
    record Outcome(DeliveryAttempt attempt, State state, Duration pause, String error) {}

    Outcome succeeded() {
        return new Outcome(this, State.SENT, Duration.ZERO, null);
    }

    /** Nobody is to get it any more. */
    Outcome pointless(String why) {
        return new Outcome(this, State.VOID, Duration.ZERO, why);
    }

    /** @param error what the server said, without the address, which it may repeat */
    Outcome failed(String error) {
        var anonymous = to == null ? error : error.replace(to, "…");
        var line = anonymous.replaceAll("[\\s\\p{Cntrl}]+", " "); // with the NUL, which PostgreSQL refuses
        var reason = line.substring(0, Math.min(line.length(), MAX_ERROR));
        return number < MAX
                ? new Outcome(this, State.PENDING, pause(), reason)
                : new Outcome(this, State.FAILED, Duration.ZERO, reason);
    }

    private Duration pause() {
        var doubled = MIN_PAUSE.multipliedBy(1L << Math.min(number - 1, MAX_DOUBLINGS));
        return doubled.compareTo(MAX_PAUSE) < 0 ? doubled : MAX_PAUSE;
    }
}
