package dev.orderly.platform;

/** Something the user can act on: the message is the one plain line that the console shows, the cause is for the log. */
public final class StartFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    public StartFailure(String line) {
        super(line);
    }

    public StartFailure(String line, Throwable cause) {
        super(line, cause);
    }
}
