package dev.orderly.lab.chaos.workload;

import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A customer whose name, mail address and phone number exist nowhere else: wherever one of them is found, it
 * is this person's.
 *
 * @param number 1 to 999999
 */
public record TestPerson(int number) {

    /** A regular expression for PostgreSQL as well, where the text of a {@code bytea} is its hex digits. */
    public static final String ANY = "marker\\d|\\+4915599|6d61726b65723|2b34393135353939";

    private static final Pattern PLAIN = Pattern.compile("(?:marker|\\+4915599)(\\d{6})");
    private static final Pattern HEX = Pattern.compile("(?:6d61726b6572|2b34393135353939)((?:3\\d){6})");

    /** All whose name, mail or phone is in a text, plain or as hex digits. */
    public static Stream<TestPerson> in(String text) {
        return Stream.concat(
                        PLAIN.matcher(text).results().map(found -> found.group(1)),
                        HEX.matcher(text).results().map(found -> found.group(1).replaceAll("3(\\d)", "$1")))
                .map(digits -> new TestPerson(Integer.parseInt(digits)))
                .distinct();
    }

    public String marker() {
        return "marker%06d".formatted(number);
    }

    public Map<String, String> registration() {
        return Map.of(
                "name",
                "Marker " + marker(),
                "mail",
                marker() + "@marker.example",
                "phone",
                "+4915599%06d".formatted(number));
    }

    /** Half of all customers ask for erasure. */
    boolean asksForErasure() {
        return number % 2 == 0;
    }
}
