package dev.orderly.events;

/** What an event makes of a customer. */
public enum CustomerStatus {
    /** We know how to reach them, if it is them. */
    REGISTERED,
    /** They have shown that the phone is theirs. */
    VERIFIED,
    /** Nothing is known of them any more but that they were there. */
    ERASED
}
