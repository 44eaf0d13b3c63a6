package dev.orderly.flashsale;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/** Lets work wait for the end of a burst of requests, by the rate at which they arrive. */
final class BurstGate {

    /** Long enough for a rate: on a busy machine no request of a burst may arrive for tenths of a second. */
    static final Duration SAMPLE_INTERVAL = Duration.ofMillis(500);

    /** Requests per second. */
    private static final int BUSY_RATE = 100;

    /** {@link Thread#sleep(Duration)}, or a test's clock. */
    interface Sleeper {
        void sleep(Duration duration) throws InterruptedException;
    }

    private final LongSupplier requests;
    private final Clock clock;
    private final Sleeper sleeper;

    /** @param requests how many have arrived so far */
    BurstGate(LongSupplier requests, Clock clock, Sleeper sleeper) {
        this.requests = requests;
        this.clock = clock;
        this.sleeper = sleeper;
    }

    /** Returns when no burst arrives any more, and not later than one sample after the time given. */
    void awaitCalm(Instant latest) throws InterruptedException {
        var busy = true;
        while (busy && clock.instant().isBefore(latest)) {
            var before = requests.getAsLong();
            sleeper.sleep(SAMPLE_INTERVAL);
            busy = (requests.getAsLong() - before) * 1000 >= BUSY_RATE * SAMPLE_INTERVAL.toMillis();
        }
    }
}
