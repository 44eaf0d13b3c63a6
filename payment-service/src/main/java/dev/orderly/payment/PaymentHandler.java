package dev.orderly.payment;

import static dev.orderly.payment.Payment.Status.CAPTURED;
import static java.util.stream.Collectors.toSet;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.OrderEvent.PaymentCaptured;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.PaymentRefunded;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.EventHandler;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.messaging.OutgoingEvent;
import dev.orderly.payment.Payment.Change;
import io.smallrye.common.annotation.Blocking;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Captures the total of orders whose stock is reserved, and refunds orders that are cancelled. What needs the
 * payment gateway is only recorded, in the transaction of the event; {@link GatewayDispatcher} calls after
 * the commit.
 */
@Singleton
class PaymentHandler extends EventHandler<OrderEvent> {

    private final Payments payments;
    private final Cards cards;
    private final Ledger ledger;
    private final Clock clock;

    PaymentHandler(
            Payments payments,
            Cards cards,
            Ledger ledger,
            Clock clock,
            EventConsumer consumer,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Set.of(StockReserved.class, OrderCancelled.class));
        this.payments = payments;
        this.cards = cards;
        this.ledger = ledger;
        this.clock = clock;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        // Payments, cards, balances, everywhere: transactions that lock in different orders would deadlock.
        var stored = payments.lock(
                events.stream().map(received -> received.event().id()).collect(toSet()));
        var batch = new Batch(
                stored, cards.lock(cardIds(events)), ledger.lock(wallets(events, stored.values())), clock.instant());
        events.forEach(received -> batch.on(received.event()));
        payments.add(batch.added.values(), traceparents(events));
        payments.update(batch.changed.values());
        cards.claim(batch.claimedCards);
        ledger.add(batch.transfers);
        return batch.outgoing;
    }

    private static Set<UUID> cardIds(List<IncomingEvent<OrderEvent>> events) {
        return events.stream()
                .map(received -> received.event() instanceof StockReserved reserved ? reserved.cardId() : null)
                .filter(Objects::nonNull)
                .collect(toSet());
    }

    /** The wallets whose balances the events may change. */
    private static Set<Wallet> wallets(List<IncomingEvent<OrderEvent>> events, Collection<Payment> stored) {
        var wallets = new HashSet<Wallet>();
        for (var received : events) {
            if (received.event() instanceof StockReserved reserved && !needsCard(reserved)) {
                wallets.add(wallet(reserved));
            }
        }
        for (var payment : stored) {
            if (payment.status() == CAPTURED && !payment.byCard()) {
                wallets.add(payment.wallet());
            }
        }
        return wallets;
    }

    /** A total of zero never goes to the gateway, which would reject it: any balance suffices. */
    private static boolean needsCard(StockReserved reserved) {
        return reserved.paymentMethod() == PaymentMethod.CARD
                && reserved.total().amount() > 0;
    }

    /** By order: the trace that the gateway's result will continue. */
    private static Map<UUID, String> traceparents(List<IncomingEvent<OrderEvent>> events) {
        var traceparents = new HashMap<UUID, String>();
        events.forEach(received -> traceparents.put(received.event().id(), received.traceparent()));
        return traceparents;
    }

    private static Wallet wallet(StockReserved reserved) {
        return new Wallet(reserved.customerId(), reserved.total().currency());
    }

    /** The decisions about one batch: what is stored, and what is to be written. */
    private static final class Batch {

        private final Set<UUID> stored;
        private final Map<UUID, Payment> payments;
        private final Map<UUID, Card> cards;
        private final Map<Wallet, Money> balances;
        private final Instant now;

        private final Map<UUID, Payment> added = new HashMap<>();
        private final Map<UUID, Payment> changed = new HashMap<>();
        private final List<UUID> claimedCards = new ArrayList<>();
        private final List<Transfer> transfers = new ArrayList<>();
        private final List<OutgoingEvent> outgoing = new ArrayList<>();

        Batch(Map<UUID, Payment> payments, Map<UUID, Card> cards, Map<Wallet, Money> balances, Instant now) {
            this.stored = Set.copyOf(payments.keySet());
            this.payments = payments;
            this.cards = cards;
            this.balances = balances;
            this.now = now;
        }

        void on(OrderEvent event) {
            switch (event) {
                case StockReserved reserved -> pay(reserved).ifPresent(this::apply);
                case OrderCancelled cancelled ->
                    payment(cancelled.id(), cancelled.customerId())
                            .cancel(cancelled.reason(), now)
                            .ifPresent(this::apply);
                // Rejected: out of stock, or declined here; a late capture refunds itself (Payment.on).
                case OrderPlaced _,
                        StockRejected _,
                        PaymentCaptured _,
                        PaymentDeclined _,
                        OrderConfirmed _,
                        OrderRejected _,
                        PaymentRefunded _ -> {}
            }
        }

        private Optional<Change> pay(StockReserved reserved) {
            var payment = payment(reserved.id(), reserved.customerId());
            return needsCard(reserved)
                    ? payByCard(payment, reserved)
                    : payment.payFromBalance(
                            reserved.total(), Optional.ofNullable(balances.get(wallet(reserved))), now);
        }

        private Optional<Change> payByCard(Payment payment, StockReserved reserved) {
            if (reserved.cardToken() != null) { // of the release before
                return payment.requestCapture(reserved.total(), reserved.cardToken(), now);
            }
            var card = cards.get(reserved.cardId());
            var refusal = card == null ? Optional.of(Card.UNKNOWN) : card.refusal(reserved.customerId());
            if (refusal.isPresent()) {
                return payment.refuseCard(reserved.total(), refusal.get(), now);
            }
            var capture = payment.requestCapture(reserved.total(), card.token(), now);
            if (capture.isPresent()) {
                cards.put(card.id(), card.claimed());
                claimedCards.add(card.id());
            }
            return capture;
        }

        private Payment payment(UUID orderId, UUID customerId) {
            return payments.getOrDefault(orderId, Payment.expected(orderId, customerId));
        }

        private void apply(Change change) {
            var payment = change.payment();
            var orderId = payment.orderId();
            payments.put(orderId, payment);
            (stored.contains(orderId) ? changed : added).put(orderId, payment);
            Transfer.of(change, balance(payment)).ifPresent(this::post);
            change.event().ifPresent(event -> outgoing.add(new OutgoingEvent(event, payment.version())));
        }

        private Money balance(Payment payment) {
            return payment.amount() == null
                    ? null // Such a payment has no transfer.
                    : balances.getOrDefault(
                            payment.wallet(), new Money(0, payment.amount().currency()));
        }

        private void post(Transfer transfer) {
            transfer.wallet()
                    .ifPresent(wallet -> balances.put(wallet, transfer.balance().orElseThrow()));
            transfers.add(transfer);
        }
    }
}
