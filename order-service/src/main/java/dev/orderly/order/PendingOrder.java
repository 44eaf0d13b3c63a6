package dev.orderly.order;

import dev.orderly.database.UuidV7;
import dev.orderly.events.EventJson;
import dev.orderly.http.IdempotencyKey;
import java.util.UUID;

/**
 * A command with all that its order needs, before the transaction decides whether there will be one.
 *
 * @param id of the order that it will place, unless its key has placed one before
 * @param origin the name space of the key
 * @param traceparent of the request, or null
 */
public record PendingOrder(UUID id, PlaceOrder command, KeyOrigin origin, String idempotencyKey, String traceparent) {

    /** Who chose the key: by no key may a client take the place of an order that we place ourselves. */
    public enum KeyOrigin {
        CLIENT,
        FLASH_SALE
    }

    /** By a request, under the key that its client chose. */
    static PendingOrder ofClient(PlaceOrder command, String idempotencyKey, String traceparent) {
        return new PendingOrder(UuidV7.next(), command, KeyOrigin.CLIENT, idempotencyKey, traceparent);
    }

    /** The one order of a customer in a flash sale. */
    public static PendingOrder ofFlashSale(PlaceOrder command, String saleId) {
        return new PendingOrder(UuidV7.next(), command, KeyOrigin.FLASH_SALE, saleId, null);
    }

    /** Equal for a repeated command, different for another one under the same key. */
    byte[] requestHash() {
        return IdempotencyKey.hash(EventJson.writeValue(command));
    }
}
