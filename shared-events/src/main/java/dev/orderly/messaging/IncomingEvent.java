package dev.orderly.messaging;

import dev.orderly.events.Event;
import java.util.UUID;

/**
 * An event as it was read from the topic.
 *
 * @param eventId its own id, not that of the order or customer
 * @param source the service that published it
 * @param version 1, 2, 3 … per key and source
 * @param traceparent of the trace it belongs to, or null
 * @param partition where it was read, as {@code offset}; another delivery has other coordinates
 */
public record IncomingEvent<E extends Event>(
        E event, UUID eventId, String source, int version, String traceparent, int partition, long offset) {}
