package dev.orderly.simulator.gateway;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How a payment is answered and called back about. */
enum CardBehaviour {
    PROMPT,
    /** The bank thinks; nobody knows the outcome before. */
    SLOW,
    /** It is done at once, but neither the answer says so nor, for a while, a callback. */
    LATE,
    /** As late, and the callback is lost. */
    NEVER,
    /** It is done, and the answer comes when nobody waits for it any more. */
    HANG,
    /** It is done, and the answer is 500. */
    ERROR,
    /** Nothing is done the first two times, and the answer is 503. */
    UNAVAILABLE,
    /** The callback is there before the answer. */
    EARLY,
    /** The callback comes five times at once. */
    DUPLICATE,
    /** The callback that it was begun comes after the one that it is done. */
    SHUFFLED,
    /** Somebody else calls back as well: unsigned, wrongly signed, recorded, about other amounts and payments. */
    FORGED,
    /** CallbackSender are signed with the other of the two secrets that are live. */
    ROTATED;

    static Optional<CardBehaviour> named(String word) {
        return Stream.of(values())
                .filter(behaviour -> behaviour.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst();
    }
}
