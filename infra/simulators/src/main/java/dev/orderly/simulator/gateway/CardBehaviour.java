package dev.orderly.simulator.gateway;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** How the gateway responds to a payment, and how it calls back. */
enum CardBehaviour {
    PROMPT,
    /** The bank takes its time; until then the payment is processing. */
    SLOW,
    /** Settled at once, but the response does not say so, and the callback is delayed. */
    LATE,
    /** As LATE, and the callback is lost. */
    NEVER,
    /** Settled, but the response comes after any timeout. */
    HANG,
    /** Settled, but the response is 500. */
    ERROR,
    /** The first two requests have no effect, and get 503. */
    UNAVAILABLE,
    /** The callback arrives before the response. */
    EARLY,
    /** Each callback is sent five times at once. */
    DUPLICATE,
    /** The callback that processing has begun arrives after the one that it has ended. */
    SHUFFLED,
    /** An attacker calls back as well: unsigned, wrongly signed, replayed, with other outcomes. */
    FORGED,
    /** Callbacks are signed with the other of the two live secrets. */
    ROTATED;

    static Optional<CardBehaviour> named(String word) {
        return Stream.of(values())
                .filter(behaviour -> behaviour.name().toLowerCase(Locale.ROOT).equals(word))
                .findFirst();
    }
}
