package dev.orderly.messaging;

import dev.orderly.events.Event;

/**
 * An event to be published.
 *
 * @param version 1, 2, 3 … per key and publishing service, without gaps: by it readers detect loss
 */
public record OutgoingEvent(Event event, int version) {

    public OutgoingEvent {
        if (version < 1) {
            throw new IllegalArgumentException("versions start at 1, not " + version);
        }
    }
}
