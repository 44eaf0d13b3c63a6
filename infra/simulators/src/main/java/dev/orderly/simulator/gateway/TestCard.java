package dev.orderly.simulator.gateway;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A card, by the token that stands for it. The words of a token say what happens to a payment with it:
 *
 * <pre>
 *   tok_ok            captured at once, and the response says so; the callback follows
 *   tok_declined      declined, otherwise the same
 *   tok_slow_30s      the bank takes 30 s (or 5m, or 2h): until then the response is "processing"
 *   tok_never         captured, but the response is "processing", and there is no callback
 *   tok_declined_late_2h   several words: declined, and the callback comes two hours late
 * </pre>
 *
 * and so on: every word of {@link CardBehaviour}, an outcome, a time, each at most once, in any order.
 *
 * @param delay of what is slow or late
 */
record TestCard(boolean declined, CardBehaviour behaviour, Duration delay) {

    private static final Duration DEFAULT_DELAY = Duration.ofSeconds(3);
    private static final Pattern TIME = Pattern.compile("(\\d{1,4})([smh])");

    /** Empty when there is no such card. */
    static Optional<TestCard> parse(String text) {
        if (text == null || !text.startsWith("tok_")) {
            return Optional.empty();
        }
        Boolean declined = null;
        CardBehaviour behaviour = null;
        Duration delay = null;
        for (String word : text.substring("tok_".length()).split("_", -1)) {
            var time = TIME.matcher(word);
            var named = CardBehaviour.named(word.equals("5xx") ? "error" : word);
            if (declined == null && (word.equals("ok") || word.equals("declined"))) {
                declined = word.equals("declined");
            } else if (behaviour == null && named.isPresent()) {
                behaviour = named.get();
            } else if (delay == null && time.matches()) {
                delay = Duration.parse("PT" + time.group().toUpperCase(Locale.ROOT));
            } else {
                return Optional.empty();
            }
        }
        return Optional.of(new TestCard(
                declined != null && declined,
                behaviour == null ? CardBehaviour.PROMPT : behaviour,
                delay == null ? DEFAULT_DELAY : delay));
    }

    TestCard with(CardBehaviour other) {
        return new TestCard(declined, other, delay);
    }
}
