package dev.orderly.http;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.DoubleSupplier;

/** What is bounded, and how much of the bound is in use: one metric, so that one alert covers all of them. */
public final class Capacity {

    private Capacity() {}

    /** @param usedRatio 0 when all is free, 1 at the limit */
    public static void register(MeterRegistry metrics, String resource, DoubleSupplier usedRatio) {
        Gauge.builder("orderly.capacity.used.ratio", usedRatio, DoubleSupplier::getAsDouble)
                .tag("resource", resource)
                .strongReference(true)
                .register(metrics);
    }
}
