package dev.orderly.payment;

import java.time.Duration;

/**
 * One try to have the gateway do what a payment is open for, and the rules for the next: pauses double from {@link
 * #MIN_PAUSE} to {@link #MAX_PAUSE}. It is never given up, for the gateway may have the customer's money.
 *
 * @param payment as it was when the attempt began
 * @param number 1 for the first since the payment took its status
 */
record GatewayAttempt(Payment payment, int number) {

    static final Duration MIN_PAUSE = Duration.ofSeconds(1);
    static final Duration MAX_PAUSE = Duration.ofMinutes(1);

    /** Attempts after which somebody should look at it, and again after as many more: about a quarter of an hour. */
    static final int ALARM = 20;

    /** Doublings after which every pause is the longest. */
    private static final int MAX_DOUBLINGS = 6;

    /**
     * How long to wait before the next: at least half of the pause, so that a gateway gets a rest, and the rest by lot, so
     * that those who failed together do not come back together.
     *
     * @param lot from 0 to 1
     */
    Duration pause(double lot) {
        var doubled = MIN_PAUSE.multipliedBy(1L << Math.min(number - 1, MAX_DOUBLINGS));
        var pause = doubled.compareTo(MAX_PAUSE) < 0 ? doubled : MAX_PAUSE;
        return Duration.ofMillis(Math.round(pause.toMillis() * (1 + lot) / 2));
    }

    boolean isAlarming() {
        return number % ALARM == 0;
    }
}
