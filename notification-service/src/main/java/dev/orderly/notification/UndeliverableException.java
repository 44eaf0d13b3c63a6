package dev.orderly.notification;

import java.io.IOException;

/** A message can never be delivered, whatever the number of attempts. */
final class UndeliverableException extends IOException {
    private static final long serialVersionUID = 1L;

    UndeliverableException(String reason, Exception cause) {
        super(reason, cause);
    }
}
