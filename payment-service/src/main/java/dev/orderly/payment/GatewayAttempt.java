package dev.orderly.payment;

import java.time.Duration;

/**
 * One attempt to have the gateway do what an open payment needs, and the exponential backoff before the next.
 * There is no last attempt: the gateway may hold the customer's money.
 *
 * @param payment as it was when the attempt began
 * @param number 1 for the first since the payment entered its status
 * @param traceparent of the trace that the payment belongs to, or null
 */
record GatewayAttempt(Payment payment, int number, String traceparent) {

    static final Duration MIN_BACKOFF = Duration.ofSeconds(1);
    static final Duration MAX_BACKOFF = Duration.ofMinutes(1);

    /** Attempts between two alerts to the operator: about a quarter of an hour. */
    static final int ALERT_INTERVAL = 20;

    /** Doublings after which every backoff is the maximum. */
    private static final int MAX_DOUBLINGS = 6;

    /**
     * How long to wait before the next attempt. At least half is fixed, so that the gateway gets a rest; the
     * other half is jitter, so that payments that failed together are not retried together.
     *
     * @param jitter from 0 to 1
     */
    Duration backoff(double jitter) {
        var doubled = MIN_BACKOFF.multipliedBy(1L << Math.min(number - 1, MAX_DOUBLINGS));
        var backoff = doubled.compareTo(MAX_BACKOFF) < 0 ? doubled : MAX_BACKOFF;
        return Duration.ofMillis(Math.round(backoff.toMillis() * (1 + jitter) / 2));
    }

    boolean needsAlert() {
        return number % ALERT_INTERVAL == 0;
    }
}
