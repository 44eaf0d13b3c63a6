package dev.orderly.clientlog;

import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import java.time.Instant;

/**
 * One log line of a client.
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

        // PostgreSQL stores neither NUL nor an unpaired surrogate.
        @NotNull(message = "is required")
        @Pattern(
                regexp = "[^\\x00\\p{Cs}]{1," + LogLine.MAX_MESSAGE_LENGTH + "}",
                message = "must be 1 to " + LogLine.MAX_MESSAGE_LENGTH + " characters, all of them whole and none NUL")
        String message) {

    static final int MAX_MESSAGE_LENGTH = 4096;

    enum Level {
        TRACE,
        DEBUG,
        INFO,
        WARN,
        ERROR
    }
}
