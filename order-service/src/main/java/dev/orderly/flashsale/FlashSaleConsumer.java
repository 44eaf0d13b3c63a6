package dev.orderly.flashsale;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.PaymentMethod;
import dev.orderly.flashsale.FlashSale.Ticket;
import dev.orderly.flashsale.FlashSale.TicketOutcome;
import dev.orderly.order.BacklogLimiter;
import dev.orderly.order.OrderCommands;
import dev.orderly.order.OrderCommands.Admission;
import dev.orderly.order.PendingOrder;
import dev.orderly.order.PlaceOrder;
import dev.orderly.order.PlaceOrderResult;
import dev.orderly.order.PlaceOrderResult.InvalidTotal;
import dev.orderly.order.PlaceOrderResult.KeyReused;
import dev.orderly.order.PlaceOrderResult.Overloaded;
import dev.orderly.order.PlaceOrderResult.Placed;
import dev.orderly.order.PlaceOrderResult.Replayed;
import dev.orderly.order.PlaceOrderResult.UnknownProducts;
import io.micrometer.core.instrument.MeterRegistry;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Turns queued buyers into orders, in the order of the topic: one unit to each customer while there are any.
 * One transaction per polled batch holds the sale's lock, the tickets, the orders and their events. A ticket
 * is unique by sale and customer, so a redelivered buyer is decided already. It cannot oversell:
 * inventory-service decides about the stock, as for any order.
 *
 * <p>Placing has the lower priority while a burst of buyers arrives at this instance: an order costs all
 * services as much as dozens of HTTP answers, and the queued buyers have had theirs. What cannot be decided
 * in time stays on the topic.
 */
@ApplicationScoped
class FlashSaleConsumer {

    private static final Logger LOG = Logger.getLogger(FlashSaleConsumer.class);

    /** How long a burst may delay queued buyers. */
    private static final Duration MAX_BURST_DELAY = Duration.ofSeconds(10);

    private static final Duration CAPACITY_SAMPLE_INTERVAL = Duration.ofMillis(100);

    /** A batch of so few buyers costs too little to be delayed. */
    private static final int SMALL_BATCH = 20;

    private static final int UUID_LENGTH = 36;

    private static final PaymentMethod METHOD = PaymentMethod.BALANCE;

    private final BurstGate burstGate;
    private final BacklogLimiter backlog;
    private final Duration deadline;
    private final RetryingTransactions transactions;
    private final FlashSales sales;
    private final OrderCommands commands;
    private final Clock clock;
    private final MeterRegistry metrics;

    FlashSaleConsumer(
            FlashSaleQueue queue,
            BacklogLimiter backlog,
            @ConfigProperty(name = "orderly.order.deadline") Duration deadline,
            RetryingTransactions transactions,
            FlashSales sales,
            OrderCommands commands,
            Clock clock,
            MeterRegistry metrics) {
        this.burstGate = new BurstGate(queue::requests, clock, Thread::sleep);
        this.backlog = backlog;
        this.deadline = deadline;
        this.transactions = transactions;
        this.sales = sales;
        this.commands = commands;
        this.clock = clock;
        this.metrics = metrics;
    }

    private record Buyer(String sale, UUID customer, long offset) {}

    /** The buyers of one sale in a transaction, first come first. */
    private record Buyers(LinkedHashSet<UUID> customers, long nextOffset) {}

    @Incoming("flash-sale-intake")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) throws InterruptedException {
        if (records.count() > SMALL_BATCH) {
            burstGate.awaitCalm(oldest(records).plus(MAX_BURST_DELAY));
        }
        awaitCapacity();
        transactions.commitBatch(
                buyers(records), this::decide, unknown -> countSkipped("unknown_sale", unknown), (buyer, failure) -> {
                    LOG.errorf(failure, "skipping buyer %s of flash sale %s", buyer.customer, buyer.sale);
                    countSkipped("failed", 1);
                });
        sales.refreshCache();
    }

    /** Not later than now: the clocks of the producers may differ from ours. */
    private Instant oldest(ConsumerRecords<String, byte[]> records) {
        var oldest = clock.millis();
        for (var record : records) {
            oldest = Math.min(oldest, record.timestamp());
        }
        return Instant.ofEpochMilli(oldest);
    }

    /** Backpressure: the topic keeps what cannot be decided in time; by the deadline that has ended. */
    private void awaitCapacity() throws InterruptedException {
        var end = clock.instant().plus(deadline);
        while (backlog.isOverloaded(METHOD) && clock.instant().isBefore(end)) {
            Thread.sleep(CAPACITY_SAMPLE_INTERVAL); // a poll: other instances change the backlog, too
        }
    }

    /** Only {@link FlashSaleQueue} writes here; a record of another form stands for no buyer. */
    private List<Buyer> buyers(ConsumerRecords<String, byte[]> records) {
        var buyers = new ArrayList<Buyer>();
        for (var record : records) {
            var customer = customer(record.value());
            if (customer != null
                    && record.key() != null
                    && FlashSale.ID.matcher(record.key()).matches()) {
                buyers.add(new Buyer(record.key(), customer, record.offset()));
            } else {
                // Without its key, which may contain anything.
                LOG.errorf("skipping undecodable %s-%d@%d", record.topic(), record.partition(), record.offset());
                countSkipped("undecodable", 1);
            }
        }
        return buyers;
    }

    private static UUID customer(byte[] value) {
        if (value == null || value.length != UUID_LENGTH) {
            return null;
        }
        try {
            return UUID.fromString(new String(value, US_ASCII));
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    private void countSkipped(String reason, int buyers) {
        metrics.counter("orderly.flash.sale.skipped", "reason", reason).increment(buyers);
    }

    /** Returns how many of them are for sales that do not exist. */
    private int decide(List<Buyer> buyers) throws SQLException {
        var bySale = new LinkedHashMap<String, Buyers>();
        for (var buyer : buyers) {
            var before = bySale.getOrDefault(buyer.sale, new Buyers(new LinkedHashSet<>(), 0));
            before.customers.add(buyer.customer);
            bySale.put(buyer.sale, new Buyers(before.customers, buyer.offset + 1));
        }
        var unknown = 0;
        for (var sale : bySale.entrySet()) {
            unknown += decide(sale.getKey(), sale.getValue());
        }
        return unknown;
    }

    private int decide(String id, Buyers buyers) throws SQLException {
        var locked = sales.lock(id);
        if (locked.isEmpty()) {
            LOG.errorf("skipping %d buyers of flash sale %s, which does not exist", buyers.customers.size(), id);
            return buyers.customers.size();
        }
        var sale = locked.get();
        var undecided = new ArrayList<>(buyers.customers);
        undecided.removeAll(sales.ticketHolders(id, buyers.customers));
        var tickets = new ArrayList<Ticket>();
        var granted = 0;
        // As often as some were refused: their units are for those behind them.
        while (granted < sale.left() && tickets.size() < undecided.size()) {
            var first = tickets.size();
            var winners = undecided.subList(first, Math.min(first + sale.left() - granted, undecided.size()));
            tickets.addAll(placeOrders(sale, winners));
            granted = granted(tickets);
        }
        undecided
                .subList(tickets.size(), undecided.size())
                .forEach(customer -> tickets.add(new Ticket(customer, TicketOutcome.SOLD_OUT, null)));
        sales.saveDecisions(id, tickets, granted, buyers.nextOffset);
        return 0;
    }

    private static int granted(List<Ticket> tickets) {
        return (int) tickets.stream().filter(ticket -> ticket.orderId() != null).count();
    }

    private List<Ticket> placeOrders(FlashSale sale, List<UUID> customers) throws SQLException {
        var lines = List.of(new PlaceOrder.Line(sale.sku(), 1));
        var batch = customers.stream()
                .map(customer -> PendingOrder.ofFlashSale(new PlaceOrder(customer, lines, METHOD, null), sale.id()))
                .toList();
        var results = commands.place(batch, Admission.ADMITTED);
        var tickets = new ArrayList<Ticket>();
        for (var i = 0; i < customers.size(); i++) {
            tickets.add(ticket(customers.get(i), results.get(i)));
        }
        return tickets;
    }

    private static Ticket ticket(UUID customer, PlaceOrderResult result) {
        return switch (result) {
            case Placed(var order) -> new Ticket(customer, TicketOutcome.ORDERED, order.id());
            case Replayed(var order) -> new Ticket(customer, TicketOutcome.ORDERED, order.id());
            case UnknownProducts _, InvalidTotal _, KeyReused _, Overloaded _ ->
                new Ticket(customer, TicketOutcome.REFUSED, null);
        };
    }
}
