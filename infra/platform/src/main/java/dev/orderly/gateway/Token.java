package dev.orderly.gateway;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A card, by the token that stands for it. Tokens of this gateway say what happens to a payment with them, in words:
 *
 * <pre>
 *   tok_ok            captured at once, and that is the answer; the callback follows
 *   tok_declined      declined, else the same
 *   tok_slow_30s      the bank takes 30 s (or 5m, or 2h): the answer is "processing", also to those who ask meanwhile
 *   tok_never         captured, but the answer is "processing", and there is never a callback
 *   tok_declined_late_2h   more words than one: declined, and the callback comes two hours late
 * </pre>
 *
 * and so on: every word of {@link Manner}, an outcome, a time, each at most once, in any order.
 *
 * @param delay what is slow or late takes as long
 */
record Token(boolean declined, Manner manner, Duration delay) {

    /** How a payment is answered and called back about. */
    enum Manner {
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
        /** Callbacks are signed with the other of the two secrets that are live. */
        ROTATED;

        static Optional<Manner> named(String word) {
            return Stream.of(values())
                    .filter(manner -> manner.name().toLowerCase(Locale.ROOT).equals(word))
                    .findFirst();
        }
    }

    private static final Duration USUAL_DELAY = Duration.ofSeconds(3);
    private static final Pattern TIME = Pattern.compile("(\\d{1,4})([smh])");

    /** Empty when there is no such card. */
    static Optional<Token> read(String text) {
        if (text == null || !text.startsWith("tok_")) {
            return Optional.empty();
        }
        Boolean declined = null;
        Manner manner = null;
        Duration delay = null;
        for (String word : text.substring("tok_".length()).split("_", -1)) {
            var time = TIME.matcher(word);
            var named = Manner.named(word.equals("5xx") ? "error" : word);
            if (declined == null && (word.equals("ok") || word.equals("declined"))) {
                declined = word.equals("declined");
            } else if (manner == null && named.isPresent()) {
                manner = named.get();
            } else if (delay == null && time.matches()) {
                delay = Duration.parse("PT" + time.group().toUpperCase(Locale.ROOT));
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(new Token(
                declined != null && declined,
                manner == null ? Manner.PROMPT : manner,
                delay == null ? USUAL_DELAY : delay));
    }

    Token in(Manner other) {
        return new Token(declined, other, delay);
    }
}
