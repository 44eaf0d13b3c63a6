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
import jakarta.enterprise.event.Event;
import jakarta.inject.Singleton;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;

/**
 * Takes the money for orders whose stock is reserved, and gives it back for those that are cancelled. What needs the payment
 * gateway it only records, in the transaction of the event; {@link GatewayDispatcher} asks for it afterwards.
 */
@Singleton
class PaymentHandler extends EventHandler<OrderEvent> {

    private final Payments payments;
    private final Ledger ledger;
    private final Event<GatewayDispatcher.CallsDue> due;
    private final Clock clock;

    PaymentHandler(
            Payments payments,
            Ledger ledger,
            Event<GatewayDispatcher.CallsDue> due,
            Clock clock,
            EventConsumer consumer,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        super(consumer, consumerGroup, Set.of(StockReserved.class, OrderCancelled.class));
        this.payments = payments;
        this.ledger = ledger;
        this.due = due;
        this.clock = clock;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        consume(records);
    }

    @Override
    public List<OutgoingEvent> on(List<IncomingEvent<OrderEvent>> events) throws SQLException {
        // Payments before wallets, as everywhere: two transactions that took turns would deadlock.
        var known = payments.lock(
                events.stream().map(received -> received.event().id()).collect(toSet()));
        var till = new Batch(known, ledger.lock(wallets(events, known.values())), clock.instant());
        events.forEach(received -> till.on(received.event()));
        payments.save(till.changed.values(), traces(events));
        ledger.add(till.transfers);
        if (till.changed.values().stream().anyMatch(payment -> payment.status().isOpen())) {
            due.fire(new GatewayDispatcher.CallsDue());
        }
        return till.news;
    }

    /** All that the events may take from or give back to. */
    private static Set<Wallet> wallets(List<IncomingEvent<OrderEvent>> events, Collection<Payment> known) {
        var wallets = new HashSet<Wallet>();
        for (var received : events) {
            if (received.event() instanceof StockReserved reserved && !needsCard(reserved)) {
                wallets.add(wallet(reserved));
            }
        }
        for (var payment : known) {
            if (payment.status() == CAPTURED && payment.card() == null) {
                wallets.add(payment.wallet());
            }
        }
        return wallets;
    }

    /** What costs nothing is paid by any balance, and no gateway would take it. */
    private static boolean needsCard(StockReserved reserved) {
        return reserved.paymentMethod() == PaymentMethod.CARD
                && reserved.total().amount() > 0;
    }

    /** By order: what the gateway's answer, whenever it comes, is to be a step of. */
    private static Map<UUID, String> traces(List<IncomingEvent<OrderEvent>> events) {
        var traces = new HashMap<UUID, String>();
        events.forEach(received -> traces.put(received.event().id(), received.traceparent()));
        return traces;
    }

    private static Wallet wallet(StockReserved reserved) {
        return new Wallet(reserved.customerId(), reserved.total().currency());
    }

    /** A batch being decided: what is known of it, and what is to be written. */
    private static final class Batch {

        private final Map<UUID, Payment> known;
        private final Map<Wallet, Money> balances;
        private final Instant now;

        private final Map<UUID, Payment> changed = new LinkedHashMap<>();
        private final List<Transfer> transfers = new ArrayList<>();
        private final List<OutgoingEvent> news = new ArrayList<>();

        Batch(Map<UUID, Payment> known, Map<Wallet, Money> balances, Instant now) {
            this.known = known;
            this.balances = balances;
            this.now = now;
        }

        void on(OrderEvent event) {
            switch (event) {
                case StockReserved reserved -> pay(reserved).ifPresent(this::settle);
                case OrderCancelled cancelled ->
                    payment(cancelled.id(), cancelled.customerId())
                            .cancelled(cancelled.reason(), now)
                            .ifPresent(this::settle);
                // A rejected order was not captured: it was out of stock, or it is we who declined.
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
                    ? payment.due(reserved.total(), reserved.cardToken(), now)
                    : payment.due(reserved.total(), Optional.ofNullable(balances.get(wallet(reserved))), now);
        }

        private Payment payment(UUID orderId, UUID customerId) {
            return known.getOrDefault(orderId, Payment.expected(orderId, customerId));
        }

        private void settle(Change change) {
            var payment = change.payment();
            known.put(payment.orderId(), payment);
            changed.put(payment.orderId(), payment);
            Transfer.of(change, balance(payment)).ifPresent(this::move);
            change.event().ifPresent(event -> news.add(new OutgoingEvent(event, payment.version())));
        }

        private Money balance(Payment payment) {
            return payment.amount() == null
                    ? null // which is of a payment that moves nothing
                    : balances.getOrDefault(
                            payment.wallet(), new Money(0, payment.amount().currency()));
        }

        private void move(Transfer transfer) {
            transfer.wallet()
                    .ifPresent(wallet -> balances.put(wallet, transfer.balance().orElseThrow()));
            transfers.add(transfer);
        }
    }
}
