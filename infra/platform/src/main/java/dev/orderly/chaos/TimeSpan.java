package dev.orderly.chaos;

import java.time.Instant;

/** From one moment to another. */
record TimeSpan(Instant since, Instant until) {}
