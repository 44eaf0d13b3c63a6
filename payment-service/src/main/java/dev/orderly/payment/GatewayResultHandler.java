package dev.orderly.payment;

import dev.orderly.messaging.Outbox;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.messaging.Traceparent;
import dev.orderly.payment.GatewayResult.CallbackEvent;
import dev.orderly.payment.Payment.Change;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.transaction.Transactional;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;

/**
 * Where what the payment gateway says takes effect, whichever way it came and however often: once. One transaction holds the
 * lock of the payment, the callback as it came, the transfer, and the event that tells of it.
 */
@ApplicationScoped
class GatewayResultHandler {

    private static final Logger LOG = Logger.getLogger(GatewayResultHandler.class);

    private final Payments payments;
    private final GatewayCallbacks callbacks;
    private final Ledger ledger;
    private final Outbox outbox;
    private final Event<GatewayDispatcher.CallsDue> due;
    private final Clock clock;
    private final String merchant;

    GatewayResultHandler(
            Payments payments,
            GatewayCallbacks callbacks,
            Ledger ledger,
            Outbox outbox,
            Event<GatewayDispatcher.CallsDue> due,
            Clock clock,
            @ConfigProperty(name = "orderly.gateway.merchant") String merchant) {
        this.payments = payments;
        this.callbacks = callbacks;
        this.ledger = ledger;
        this.outbox = outbox;
        this.due = due;
        this.clock = clock;
        this.merchant = merchant;
    }

    /** What came of a report. Of the last three nothing is kept: to acknowledge them would be a lie. */
    enum Effect {
        /** The payment is not what it was. */
        SETTLED,
        /** Known already, or no news at all. */
        NO_CHANGE,
        /** There is no such payment here, or not yet. */
        UNKNOWN_PAYMENT,
        /** It is about another amount, currency or merchant than the payment that it names. */
        PAYMENT_MISMATCH,
        /** Another callback with this id was here before. */
        ID_REUSED
    }

    /** By an answer of the gateway to us. */
    @Transactional(rollbackOn = SQLException.class) // By itself it would commit after a checked exception.
    Effect settle(GatewayResult report) throws SQLException {
        return settle(report, null, null);
    }

    /**
     * By a callback, whose signature is verified.
     *
     * @param body that it was read from
     */
    @Transactional(rollbackOn = SQLException.class)
    Effect settle(CallbackEvent told, byte[] body) throws SQLException {
        return settle(told.report(), told, body);
    }

    private Effect settle(GatewayResult report, CallbackEvent told, byte[] body) throws SQLException {
        // First: what else is under way for this payment, another copy of this callback above all, makes us wait here.
        var payment = payments.lock(Set.of(report.paymentId())).get(report.paymentId());
        if (payment == null) {
            return Effect.UNKNOWN_PAYMENT;
        }
        if (payment.card() == null
                || !report.merchant().equals(merchant)
                || !report.amount().equals(payment.amount())) {
            LOG.errorf("the gateway says of payment %s what is not true of ours", payment.orderId());
            return Effect.PAYMENT_MISMATCH;
        }
        if (told != null && !callbacks.add(told, body, clock.instant())) {
            return callbacks.isStored(told, body) ? Effect.NO_CHANGE : idReused(told);
        }
        var settled = false;
        for (var outcome : report.outcomes()) {
            if (payment.isContradictedBy(outcome)) {
                LOG.errorf(
                        "the gateway says %s of payment %s, which is %s", outcome, payment.orderId(), payment.status());
            }
            var change = payment.on(outcome, report.reason(), clock.instant());
            if (change.isPresent()) {
                store(change.get());
                payment = change.get().payment();
                settled = true;
            }
        }
        if (settled && payment.status().isOpen()) {
            due.fire(new GatewayDispatcher.CallsDue());
        }
        return settled ? Effect.SETTLED : Effect.NO_CHANGE;
    }

    private void store(Change change) throws SQLException {
        var payment = change.payment();
        payments.save(List.of(payment), Map.of());
        var transfer = Transfer.of(change, null);
        ledger.add(transfer.stream().toList());
        if (change.event().isPresent()) {
            var trace = payments.traceparent(payment.orderId());
            outbox.add(
                    List.of(new OutgoingEvent(change.event().get(), payment.version())),
                    _ -> Traceparent.following(trace));
        }
    }

    private static Effect idReused(CallbackEvent told) {
        LOG.errorf("two callbacks of the gateway have the id %s", told.id());
        return Effect.ID_REUSED;
    }
}
