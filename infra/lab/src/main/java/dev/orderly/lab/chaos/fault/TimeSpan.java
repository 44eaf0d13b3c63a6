package dev.orderly.lab.chaos.fault;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;

/** From one moment to another. */
public record TimeSpan(Instant since, Instant until) {

    /** How much of the time between two moments the spans cover. */
    public static Duration overlap(Collection<TimeSpan> spans, Instant from, Instant to) {
        var sum = Duration.ZERO;
        for (var span : spans) {
            var begin = span.since.isAfter(from) ? span.since : from;
            var end = span.until.isBefore(to) ? span.until : to;
            sum = begin.isBefore(end) ? sum.plus(Duration.between(begin, end)) : sum;
        }
        return sum;
    }
}
