package dev.orderly.flashsale;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/** Many at a door at once, by how many have come so far. */
final class BurstGate {

    /** How long it is counted who comes: on a busy machine even a crowd is not heard for tenths of a second. */
    private static final Duration LOOK = Duration.ofMillis(500);

    /** Within a look: 100 a second. */
    private static final int MANY = 50;

    private final LongSupplier come;
    private final Clock clock;

    BurstGate(LongSupplier come, Clock clock) {
        this.come = come;
        this.clock = clock;
    }

    /** Returns when there is no crowd any more, or at the end that is given; at once if that is over. */
    void letPass(Instant end) throws InterruptedException {
        var many = true;
        while (many && clock.instant().isBefore(end)) {
            var before = come.getAsLong();
            Thread.sleep(LOOK); // it is a rate, and takes its time to count
            many = come.getAsLong() - before >= MANY;
        }
    }
}
