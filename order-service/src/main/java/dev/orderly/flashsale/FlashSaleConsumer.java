package dev.orderly.flashsale;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.PaymentMethod;
import dev.orderly.flashsale.FlashSale.Outcome;
import dev.orderly.flashsale.FlashSale.Ticket;
import dev.orderly.order.BacklogLimiter;
import dev.orderly.order.OrderCommands;
import dev.orderly.order.OrderCommands.Answer;
import dev.orderly.order.OrderCommands.Placement;
import dev.orderly.order.OrderCommands.Wish;
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
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Makes orders of what the intake has accepted, in the order of the topic: to each customer one unit for as long as there are
 * any. One transaction per polled batch holds the sale's lock, the tickets, the orders and their events. A ticket is unique by
 * sale and customer, so what is delivered again is decided already. Whether the stock is really there is decided by
 * inventory-service, as for any other order: nothing here can oversell.
 *
 * <p>A crowd at the door of this instance goes first, for a while: an order costs all services together as much as dozens of
 * answers, and whoever is in line already has theirs. And what could not be decided in time stays in line.
 */
@ApplicationScoped
class FlashSaleConsumer {

    private static final Logger LOG = Logger.getLogger(FlashSaleConsumer.class);

    /** How long those in line may be kept waiting for a crowd. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

    /** How often it is asked whether orders can be decided in time. */
    private static final Duration LOOK = Duration.ofMillis(100);

    /** Buyers of a batch whose orders are hardly worth waiting with. */
    private static final int FEW = 20;

    private static final PaymentMethod METHOD = PaymentMethod.BALANCE;

    private static final NoArgGenerator IDS = Generators.timeBasedEpochRandomGenerator();

    private final BurstGate crowd;
    private final BacklogLimiter backlog;
    private final Duration deadline;
    private final RetryingTransactions transactions;
    private final FlashSales sales;
    private final OrderCommands commands;
    private final Clock clock;
    private final MeterRegistry metrics;

    FlashSaleConsumer(
            FlashSaleQueue door,
            BacklogLimiter backlog,
            @ConfigProperty(name = "orderly.order.deadline") Duration deadline,
            RetryingTransactions transactions,
            FlashSales sales,
            OrderCommands commands,
            Clock clock,
            MeterRegistry metrics) {
        this.crowd = new BurstGate(door::asked, clock);
        this.backlog = backlog;
        this.deadline = deadline;
        this.transactions = transactions;
        this.sales = sales;
        this.commands = commands;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** The buyers of a sale in a batch, as they came. */
    private record Buyers(LinkedHashSet<UUID> customers, long nextOffset) {}

    @Incoming("flash-sale-intake")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) throws InterruptedException {
        if (records.count() > FEW) {
            crowd.letPass(oldest(records).plus(LONGEST_WAIT));
        }
        awaitRoom();
        var buyers = buyers(records);
        transactions.commit(() -> {
            for (var sale : buyers.entrySet()) {
                decide(sale.getKey(), sale.getValue());
            }
            return null;
        });
        sales.remember();
    }

    /** Not later than now: the clocks of those who put buyers in line may differ from ours. */
    private Instant oldest(ConsumerRecords<String, byte[]> records) {
        var oldest = clock.millis();
        for (var record : records) {
            oldest = Math.min(oldest, record.timestamp());
        }
        return Instant.ofEpochMilli(oldest);
    }

    /** The line keeps what cannot be decided in time; by the deadline the orders that are in the way have ended. */
    private void awaitRoom() throws InterruptedException {
        var end = clock.instant().plus(deadline);
        while (backlog.isTooOld(METHOD) && clock.instant().isBefore(end)) {
            Thread.sleep(LOOK); // the condition is time and what a look at the database finds: nobody could wake it
        }
    }

    private Map<String, Buyers> buyers(ConsumerRecords<String, byte[]> records) {
        var buyers = new LinkedHashMap<String, Buyers>();
        for (var record : records) {
            var customer = customer(record);
            if (record.key() != null && customer != null) {
                var before = buyers.getOrDefault(record.key(), new Buyers(new LinkedHashSet<>(), 0));
                before.customers.add(customer);
                buyers.put(record.key(), new Buyers(before.customers, record.offset() + 1));
            }
        }
        return buyers;
    }

    /** Null when it is none: nobody but the intake writes here, and it wrote nothing of the kind. */
    private UUID customer(ConsumerRecord<String, byte[]> record) {
        try {
            return UUID.fromString(new String(record.value(), US_ASCII));
        } catch (IllegalArgumentException | NullPointerException _) {
            LOG.errorf("skipping %s-%d@%d, which is no buyer", record.topic(), record.partition(), record.offset());
            metrics.counter("orderly.flash.sale.unreadable").increment();
            return null;
        }
    }

    private void decide(String id, Buyers buyers) throws SQLException {
        var locked = sales.lock(id);
        if (locked.isEmpty()) {
            LOG.errorf("there is no flash sale %s; its %d buyers get nothing", id, buyers.customers.size());
            return;
        }
        var sale = locked.get();
        var news = new ArrayList<>(buyers.customers);
        news.removeAll(sales.served(id, buyers.customers));
        var lucky = news.subList(0, Math.min(sale.left(), news.size()));
        var tickets = new ArrayList<Ticket>();
        if (!lucky.isEmpty()) {
            tickets.addAll(place(sale, lucky));
        }
        news.subList(lucky.size(), news.size())
                .forEach(customer -> tickets.add(new Ticket(customer, Outcome.SOLD_OUT, null)));
        var granted = (int)
                tickets.stream().filter(ticket -> ticket.orderId() != null).count();
        sales.decided(id, tickets, granted, buyers.nextOffset);
    }

    private List<Ticket> place(FlashSale sale, List<UUID> customers) throws SQLException {
        var placements = customers.stream()
                .map(customer -> new Placement(
                        IDS.generate(),
                        new Wish(customer, List.of(new Wish.Item(sale.sku(), 1)), METHOD, null),
                        "flash-sale:" + sale.id(),
                        null))
                .toList();
        var answers = commands.place(placements, true);
        var tickets = new ArrayList<Ticket>();
        for (var i = 0; i < customers.size(); i++) {
            tickets.add(
                    switch (answers.get(i)) {
                        case Answer.Accepted(var order) -> new Ticket(customers.get(i), Outcome.ORDERED, order.id());
                        case Answer.Refused _ -> new Ticket(customers.get(i), Outcome.REFUSED, null);
                    });
        }
        return tickets;
    }
}
