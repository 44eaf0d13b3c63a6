package dev.orderly.payment;

import dev.orderly.database.Atomic;
import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.payment.GatewayResult.CallbackEvent;
import dev.orderly.payment.Payment.Change;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Lets what the payment gateway reports take effect exactly once, whichever way and however often it is
 * delivered. One transaction holds the lock on the payment, the callback as received, the transfer and the
 * outgoing event.
 */
@ApplicationScoped
class GatewayResultHandler {

    private static final Logger LOG = Logger.getLogger(GatewayResultHandler.class);

    private final Payments payments;
    private final GatewayCallbacks callbacks;
    private final Ledger ledger;
    private final Outbox outbox;
    private final Clock clock;
    private final String merchant;

    GatewayResultHandler(
            Payments payments,
            GatewayCallbacks callbacks,
            Ledger ledger,
            Outbox outbox,
            Clock clock,
            @ConfigProperty(name = "orderly.gateway.merchant") String merchant) {
        this.payments = payments;
        this.callbacks = callbacks;
        this.ledger = ledger;
        this.outbox = outbox;
        this.clock = clock;
        this.merchant = merchant;
    }

    /** The last three store nothing, so a callback with such an effect must not be acknowledged. */
    enum Effect {
        /** The payment has changed. */
        APPLIED,
        /** The result was known already, or has no outcome. */
        NO_CHANGE,
        /** There is no such payment here, or not yet. */
        UNKNOWN_PAYMENT,
        /** Amount, currency or merchant differ from those of the payment. */
        PAYMENT_MISMATCH,
        /** Another callback with this id is stored. */
        ID_REUSED
    }

    /** Handles the response to a request. */
    @Atomic
    Effect handle(GatewayResult result) throws SQLException {
        return handle(result, null, null);
    }

    /**
     * Handles a callback whose signature is verified.
     *
     * @param body of the callback, as received
     */
    @Atomic
    Effect handle(CallbackEvent event, byte[] body) throws SQLException {
        return handle(event.result(), event, body);
    }

    private Effect handle(GatewayResult result, CallbackEvent event, byte[] body) throws SQLException {
        // First: a concurrent result for this payment, above all another copy of this callback, waits here.
        var payment = payments.lock(Set.of(result.paymentId())).get(result.paymentId());
        if (payment == null) {
            return Effect.UNKNOWN_PAYMENT;
        }
        if (!payment.byCard()
                || !result.merchant().equals(merchant)
                || !result.amount().equals(payment.amount())) {
            LOG.errorf("the gateway reports another amount or merchant for payment %s than ours", payment.orderId());
            return Effect.PAYMENT_MISMATCH;
        }
        if (event != null && !callbacks.add(event, body, clock.instant())) {
            return callbacks.isStored(event, body) ? Effect.NO_CHANGE : idReused(event);
        }
        var effect = Effect.NO_CHANGE;
        for (var outcome : result.outcomes()) {
            if (payment.isContradictedBy(outcome)) {
                LOG.errorf(
                        "the gateway reports %s for payment %s, which is %s",
                        outcome, payment.orderId(), payment.status());
            }
            var change = payment.on(outcome, result.reason(), clock.instant());
            if (change.isPresent()) {
                store(change.get());
                payment = change.get().payment();
                effect = Effect.APPLIED;
            }
        }
        return effect;
    }

    private void store(Change change) throws SQLException {
        var payment = change.payment();
        payments.update(List.of(payment));
        ledger.add(Transfer.of(change, null).stream().toList());
        if (change.event().isPresent()) {
            var trace = payments.traceparent(payment.orderId());
            outbox.add(List.of(new OutgoingEvent(change.event().get(), payment.version())), _ -> trace);
        }
    }

    private static Effect idReused(CallbackEvent event) {
        LOG.errorf("two different callbacks of the gateway have the id %s", event.id());
        return Effect.ID_REUSED;
    }
}
