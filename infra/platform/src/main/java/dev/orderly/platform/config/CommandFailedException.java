package dev.orderly.platform.config;

/** Something the user can act on: the console shows the message, one plain line; the cause is for the log. */
public final class CommandFailedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public CommandFailedException(String line) {
        super(line);
    }

    public CommandFailedException(String line, Throwable cause) {
        super(line, cause);
    }
}
