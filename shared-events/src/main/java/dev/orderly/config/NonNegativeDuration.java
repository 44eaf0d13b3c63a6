package dev.orderly.config;

import io.quarkus.runtime.configuration.DurationConverter;
import jakarta.annotation.Priority;
import java.time.Duration;
import org.eclipse.microprofile.config.spi.Converter;

/**
 * Refuses a negative duration as it refuses a malformed one: the service does not start, and says which
 * setting it was. A deadline of minus two minutes would cancel every order that is placed.
 */
@Priority(1000)
public final class NonNegativeDuration implements Converter<Duration> {

    private static final long serialVersionUID = 1;

    private static final DurationConverter DURATIONS = new DurationConverter();

    @Override
    public Duration convert(String value) {
        var duration = DURATIONS.convert(value);
        if (duration != null && duration.isNegative()) {
            throw new IllegalArgumentException("a duration must not be negative: " + value);
        }
        return duration;
    }
}
