package dev.orderly.events;

/** The status that an event puts a customer in. */
public enum CustomerStatus {
    /** The contact is known, but not verified. */
    REGISTERED,
    /** The customer has proved that the phone is theirs. */
    VERIFIED,
    /** The contact is deleted; only the id is kept. */
    ERASED
}
