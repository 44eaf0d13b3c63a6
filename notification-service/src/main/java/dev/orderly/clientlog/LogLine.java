package dev.orderly.clientlog;

import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import java.time.Instant;

/**
 * What a client says about itself.
 *
 * @param clientId of the program, not of a person
 * @param at by the client's clock, which may be wrong
 */
record LogLine(
        @NotNull(message = "is required")
        @Pattern(
                regexp = "[A-Za-z0-9][A-Za-z0-9._:-]{0,63}",
                message = "must be 1 to 64 letters, digits, dots, underscores, colons and hyphens")
        String clientId,

        @NotNull(message = "is required") Instant at,
        @NotNull(message = "is required") Level level,

        // PostgreSQL stores neither a NUL nor half a character.
        @NotNull(message = "is required")
        @Pattern(
                regexp = "[^\\x00\\p{Cs}]{1," + LogLine.LONGEST_MESSAGE + "}",
                message = "must be 1 to " + LogLine.LONGEST_MESSAGE + " characters, all of them whole and none NUL")
        String message) {

    static final int LONGEST_MESSAGE = 4096;

    enum Level {
        TRACE,
        DEBUG,
        INFO,
        WARN,
        ERROR
    }
}
