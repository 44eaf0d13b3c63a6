package dev.orderly.lab.chaos.fault;

import java.time.Instant;

/** From one moment to another. */
public record TimeSpan(Instant since, Instant until) {}
