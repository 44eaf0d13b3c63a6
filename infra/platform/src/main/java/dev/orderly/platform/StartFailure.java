package dev.orderly.platform;

/** Something the user can act on: the message is the one plain line that the console shows, the cause is for the log. */
final class StartFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    StartFailure(String line) {
        super(line);
    }

    StartFailure(String line, Throwable cause) {
        super(line, cause);
    }
}
