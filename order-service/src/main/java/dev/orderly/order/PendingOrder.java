package dev.orderly.order;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.database.UuidV7;
import dev.orderly.events.EventJson;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/**
 * A command with all that its order needs, before the transaction decides whether there will be one.
 *
 * @param id of the order that it will place, unless its key has placed one before
 * @param traceparent of the request, or null
 */
public record PendingOrder(UUID id, PlaceOrder command, String idempotencyKey, String traceparent) {

    public PendingOrder(PlaceOrder command, String idempotencyKey, String traceparent) {
        this(UuidV7.next(), command, idempotencyKey, traceparent);
    }

    IdempotencyKeys.Key key() {
        return new IdempotencyKeys.Key(command.customerId(), idempotencyKey);
    }

    /** Equal for a repeated command, different for another one under the same key. */
    byte[] requestHash() {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(EventJson.writeValue(command).getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
