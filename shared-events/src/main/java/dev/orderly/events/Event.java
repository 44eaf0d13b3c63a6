package dev.orderly.events;

import java.util.UUID;

/** What happened to an order or a customer. The simple name of its record is its {@code type} on the wire. */
public sealed interface Event permits OrderEvent, CustomerEvent {

    /** What it happened to, and the key of the record. */
    UUID id();

    Topic topic();

    /**
     * The oldest version of the vocabulary that can read it. A reader of an older one leaves the event to a
     * newer instance, so only what it would misread is of a newer one.
     */
    default int schema() {
        return 1;
    }

    /**
     * Whether it erases all events that were published before it under its key, and is the last of the key.
     * On the wire it is a tombstone: a record without a value.
     */
    default boolean erasesKey() {
        return false;
    }
}
