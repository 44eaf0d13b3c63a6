package dev.orderly.events;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What stands for a customer's card: the payment gateway gave it to the customer's browser, which alone has seen the card's
 * number. Whoever has it can charge the card through our account with the gateway, so it is not printed.
 */
public record CardToken(@JsonValue String value) {

    /** What is wrong with anything else; it repeats nothing of that. */
    public static final String MESSAGE =
            "must be the token that the payment gateway gave for the card (tok_…), never a card number";

    private static final Pattern SHAPE = Pattern.compile("tok_\\w{1,60}");
    private static final Pattern LONG_NUMBER = Pattern.compile("(?<!\\d)\\d{13,19}(?!\\d)");

    /** @throws IllegalArgumentException when it has not the shape of a token, or has a card number in it */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public CardToken {
        if (value == null || !SHAPE.matcher(value).matches() || holdsCardNumber(value)) {
            throw new IllegalArgumentException(MESSAGE);
        }
    }

    /** 13 to 19 digits, however they are grouped, with the check digit of card numbers (ISO/IEC 7812, Luhn). */
    private static boolean holdsCardNumber(String value) {
        return Stream.of(value, value.replace("_", ""))
                .flatMap(text -> LONG_NUMBER.matcher(text).results())
                .anyMatch(number -> passesLuhn(number.group()));
    }

    private static boolean passesLuhn(String digits) {
        var sum = 0;
        for (var i = 0; i < digits.length(); i++) {
            var digit = digits.charAt(digits.length() - 1 - i) - '0';
            var weighed = i % 2 == 0 ? digit : 2 * digit;
            sum += weighed > 9 ? weighed - 9 : weighed;
        }
        return sum % 10 == 0;
    }

    /** Without the token: this is what ends up in logs and messages. */
    @Override
    public String toString() {
        return "tok_…";
    }
}
