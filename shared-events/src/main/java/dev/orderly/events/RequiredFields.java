package dev.orderly.events;

/** The check that all events have in common. */
final class RequiredFields {

    private RequiredFields() {}

    /**
     * @param namesAndValues in pairs
     * @throws NullPointerException when a value is missing; the message names it
     */
    static void require(Object... namesAndValues) {
        for (var i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] == null) {
                throw new NullPointerException(namesAndValues[i] + " is missing");
            }
        }
    }
}
