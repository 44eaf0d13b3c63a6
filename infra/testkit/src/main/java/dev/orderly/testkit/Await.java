package dev.orderly.testkit;

import dev.orderly.platform.config.CommandFailedException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Polling with a deadline: outside of JUnit tests, which have Awaitility, the only way to wait. */
public final class Await {
    private static final Duration POLL_INTERVAL = Duration.ofMillis(50);

    private Await() {}

    /** What is polled for. */
    @FunctionalInterface
    public interface Condition<E extends Exception> {
        boolean holds() throws InterruptedException, E;
    }

    /** @throws CommandFailedException when the condition does not hold in time */
    public static <E extends Exception> void until(Duration atMost, String description, Condition<E> condition)
            throws InterruptedException, E {
        if (!within(atMost, condition)) {
            throw new CommandFailedException("timed out after " + atMost.toSeconds() + " s: " + description);
        }
    }

    /** Returns true as soon as the condition holds, false when it does not in time. */
    public static <E extends Exception> boolean within(Duration atMost, Condition<E> condition)
            throws InterruptedException, E {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (!condition.holds()) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(POLL_INTERVAL.toMillis());
        }
        return true;
    }
}
