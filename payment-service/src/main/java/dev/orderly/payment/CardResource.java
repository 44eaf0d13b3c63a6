package dev.orderly.payment;

import dev.orderly.database.Atomic;
import dev.orderly.events.CardToken;
import dev.orderly.http.Caller;
import dev.orderly.http.IdempotencyKey;
import dev.orderly.http.Problems;
import dev.orderly.payment.Cards.LeftCard;
import jakarta.annotation.security.RolesAllowed;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import java.sql.SQLException;
import java.util.UUID;
import org.jboss.resteasy.reactive.ResponseStatus;

/**
 * Where customers leave a card before they order: its token reaches no other service, and an order names the
 * card by its id.
 */
@Path("/cards")
public class CardResource {

    private final Cards cards;
    private final Caller caller;

    CardResource(Cards cards, Caller caller) {
        this.cards = cards;
        this.caller = caller;
    }

    /** @param cardToken text, so that no answer repeats what is none: it may be a card number */
    record CardRequest(
            @NotNull UUID customerId,
            @NotNull(message = CardToken.MESSAGE) String cardToken) {}

    /**
     * Leaves a card for one order within a day. A request that is repeated with its key gets the same card,
     * also when an order has taken it.
     *
     * @param key 1 to 255 printable ASCII characters without spaces, unique per customer and request
     */
    @POST
    @RolesAllowed(Caller.CUSTOMER)
    @ResponseStatus(201)
    @Atomic
    public LeftCard leave(
            @HeaderParam(IdempotencyKey.HEADER)
                    @NotNull(message = IdempotencyKey.REQUIRED)
                    @Pattern(regexp = IdempotencyKey.PATTERN, message = IdempotencyKey.MESSAGE)
                    String key,
            @NotNull(message = "must not be empty") @Valid CardRequest request)
            throws SQLException {
        caller.requireCustomer(request.customerId());
        return cards.add(request.customerId(), token(request), key)
                .orElseThrow(() -> Problems.unprocessable("This Idempotency-Key was used for another card."));
    }

    private static CardToken token(CardRequest request) {
        try {
            return new CardToken(request.cardToken());
        } catch (IllegalArgumentException _) {
            throw Problems.badRequest("cardToken", CardToken.MESSAGE);
        }
    }
}
