package dev.orderly.lab.chaos.workload;

import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Somebody who registers, by a name, a mail address and a phone number that are nowhere else in the world: wherever one of
 * them is found, it is this person's.
 *
 * @param number 1 to 999999
 */
public record TestPerson(int number) {

    /** To be found in the text of anything by a regular expression of PostgreSQL's as well; a bytea's text is its hex digits. */
    public static final String ANYBODY = "kanari|\\+4915599|6b616e617269|2b34393135353939";

    private static final Pattern TRACE = Pattern.compile("(?:kanari|\\+4915599)(\\d{6})");
    private static final Pattern HEX_TRACE = Pattern.compile("(?:6b616e617269|2b34393135353939)((?:3\\d){6})");

    /** All whose name, mail or phone is in a text, as it is or as hex digits. */
    public static Stream<TestPerson> in(String text) {
        return Stream.concat(
                        TRACE.matcher(text).results().map(found -> found.group(1)),
                        HEX_TRACE
                                .matcher(text)
                                .results()
                                .map(found -> found.group(1).replaceAll("3(\\d)", "$1")))
                .map(digits -> new TestPerson(Integer.parseInt(digits)))
                .distinct();
    }

    public String mark() {
        return "kanari%06d".formatted(number);
    }

    public Map<String, String> registration() {
        return Map.of(
                "name",
                "Kanari " + mark(),
                "mail",
                mark() + "@canary.example",
                "phone",
                "+4915599%06d".formatted(number));
    }

    /** Whether this is one of the half of all who ask to be forgotten. */
    boolean forgotten() {
        return number % 2 == 0;
    }
}
