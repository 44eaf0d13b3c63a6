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
import dev.orderly.messaging.EventConsumer;
import dev.orderly.messaging.NewEvent;
import dev.orderly.messaging.OrderEventHandler;
import dev.orderly.messaging.ReceivedEvent;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
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

/** Takes the money for orders whose stock is reserved, and gives it back for those that are cancelled. */
@ApplicationScoped
class Cashier implements OrderEventHandler {

    private final Payments payments;
    private final Ledger ledger;
    private final Clock clock;
    private final EventConsumer events;
    private final String consumerGroup;

    Cashier(
            Payments payments,
            Ledger ledger,
            Clock clock,
            EventConsumer events,
            @ConfigProperty(name = "mp.messaging.incoming.orders.group.id") String consumerGroup) {
        this.payments = payments;
        this.ledger = ledger;
        this.clock = clock;
        this.events = events;
        this.consumerGroup = consumerGroup;
    }

    @Incoming("orders")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) {
        events.consume(records, this);
    }

    @Override
    public String consumerGroup() {
        return consumerGroup;
    }

    @Override
    public Set<Class<? extends OrderEvent>> reactsTo() {
        return Set.of(StockReserved.class, OrderCancelled.class);
    }

    @Override
    public List<NewEvent> on(List<ReceivedEvent> events) throws SQLException {
        // Payments before wallets, as everywhere: two transactions that took turns would deadlock.
        var known = payments.lock(
                events.stream().map(received -> received.event().id()).collect(toSet()));
        var till = new Till(known, ledger.lock(wallets(events, known.values())), clock.instant());
        events.forEach(received -> till.on(received.event()));
        payments.save(till.settled.values());
        ledger.add(till.transfers);
        return till.news;
    }

    /** All that the events may take from or give back to. */
    private static Set<Wallet> wallets(List<ReceivedEvent> events, Collection<Payment> known) {
        var wallets = new HashSet<Wallet>();
        for (var received : events) {
            if (received.event() instanceof StockReserved reserved) {
                wallets.add(wallet(reserved));
            }
        }
        for (var payment : known) {
            if (payment.status() == CAPTURED) {
                wallets.add(payment.wallet());
            }
        }
        return wallets;
    }

    private static Wallet wallet(StockReserved reserved) {
        return new Wallet(reserved.customerId(), reserved.total().currency());
    }

    /** A batch being decided: what is known of it, and what is to be written. */
    private static final class Till {

        private final Map<UUID, Payment> known;
        private final Map<Wallet, Money> balances;
        private final Instant now;

        private final Map<UUID, Payment> settled = new LinkedHashMap<>();
        private final List<Transfer> transfers = new ArrayList<>();
        private final List<NewEvent> news = new ArrayList<>();

        Till(Map<UUID, Payment> known, Map<Wallet, Money> balances, Instant now) {
            this.known = known;
            this.balances = balances;
            this.now = now;
        }

        void on(OrderEvent event) {
            switch (event) {
                case StockReserved reserved ->
                    payment(reserved.id(), reserved.customerId())
                            .due(reserved.total(), Optional.ofNullable(balances.get(wallet(reserved))), now)
                            .ifPresent(this::settle);
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

        private Payment payment(UUID orderId, UUID customerId) {
            return known.getOrDefault(orderId, Payment.expected(orderId, customerId));
        }

        private void settle(Payment payment) {
            known.put(payment.orderId(), payment);
            settled.put(payment.orderId(), payment);
            switch (payment.status()) {
                case CAPTURED -> move(Transfer.capture(payment, balance(payment.wallet())));
                case REFUNDED -> move(Transfer.refund(payment, balance(payment.wallet())));
                case EXPECTED, DECLINED, VOID -> {}
            }
            payment.event().ifPresent(event -> news.add(new NewEvent(event, payment.version())));
        }

        private Money balance(Wallet wallet) {
            return balances.getOrDefault(wallet, new Money(0, wallet.currency()));
        }

        private void move(Transfer transfer) {
            balances.put(transfer.wallet(), transfer.balance());
            transfers.add(transfer);
        }
    }
}
