package dev.orderly.events;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The token of a customer's card. The payment gateway gave it to the customer's browser, which alone has seen
 * the card number. With the token the card can be charged through our account, so it is not printed, and only
 * payment-service keeps it.
 */
public record CardToken(@JsonValue String value) {

    /** Does not repeat the value, which may be a card number. */
    public static final String MESSAGE =
            "must be the token that the payment gateway gave for the card (tok_…), never a card number";

    private static final Pattern FORM = Pattern.compile("tok_\\w{1,60}");
    private static final Pattern LONG_NUMBER = Pattern.compile("(?<!\\d)\\d{13,19}(?!\\d)");

    /** @throws IllegalArgumentException when the value is not a token, or contains a card number */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public CardToken {
        if (value == null || !FORM.matcher(value).matches() || containsCardNumber(value)) {
            throw new IllegalArgumentException(MESSAGE);
        }
    }

    /** 13 to 19 digits, grouped or not, with the check digit of card numbers (ISO/IEC 7812, Luhn). */
    private static boolean containsCardNumber(String value) {
        return Stream.of(value, value.replace("_", ""))
                .flatMap(text -> LONG_NUMBER.matcher(text).results())
                .anyMatch(number -> passesLuhn(number.group()));
    }

    private static boolean passesLuhn(String digits) {
        var sum = 0;
        for (var i = 0; i < digits.length(); i++) {
            var digit = digits.charAt(digits.length() - 1 - i) - '0';
            var weighted = i % 2 == 0 ? digit : 2 * digit;
            sum += weighted > 9 ? weighted - 9 : weighted;
        }
        return sum % 10 == 0;
    }

    /** Without the token, since this ends up in logs and messages. */
    @Override
    public String toString() {
        return "tok_…";
    }
}
