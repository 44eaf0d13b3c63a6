package dev.orderly.order;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.Transactions;
import dev.orderly.order.FlashSale.Outcome;
import dev.orderly.order.FlashSale.Ticket;
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
import org.eclipse.microprofile.reactive.messaging.Incoming;
import org.jboss.logging.Logger;

/**
 * Makes orders of what the intake has accepted, in the order of the topic: to each customer one unit for as long as there are
 * any. One transaction per polled batch holds the sale's lock, the tickets, the orders and their events. A ticket is unique by
 * sale and customer, so what is delivered again is decided already. Whether the stock is really there is decided by
 * inventory-service, as for any other order: nothing here can oversell.
 *
 * <p>A crowd at the door goes first, for a while: an order costs all services together as much as dozens of answers, and whoever
 * is in line already has theirs.
 */
@ApplicationScoped
class FlashSaleDrain {

    private static final Logger LOG = Logger.getLogger(FlashSaleDrain.class);

    /** How long those in line may be kept waiting for a crowd; about as long as one is told to stay away. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

    /** Requests within a {@link #LOOK}: 500 a second. */
    private static final int CROWD = 50;

    private static final Duration LOOK = Duration.ofMillis(100);

    /** Of a batch. So few cost nothing to speak of, and there can be no crowd behind them. */
    private static final int FEW = 20;

    private static final NoArgGenerator IDS = Generators.timeBasedEpochRandomGenerator();

    private final FlashSaleIntake door;
    private final Transactions transactions;
    private final FlashSales sales;
    private final OrderCommands commands;
    private final Clock clock;
    private final MeterRegistry metrics;

    FlashSaleDrain(
            FlashSaleIntake door,
            Transactions transactions,
            FlashSales sales,
            OrderCommands commands,
            Clock clock,
            MeterRegistry metrics) {
        this.door = door;
        this.transactions = transactions;
        this.sales = sales;
        this.commands = commands;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** The buyers of a sale in a batch, as they came. */
    private record Crowd(LinkedHashSet<UUID> customers, long nextOffset) {}

    @Incoming("flash-sale-intake")
    @Blocking
    void receive(ConsumerRecords<String, byte[]> records) throws InterruptedException {
        giveWay(records);
        var crowds = crowds(records);
        transactions.commit(() -> {
            for (var crowd : crowds.entrySet()) {
                decide(crowd.getKey(), crowd.getValue());
            }
            return null;
        });
    }

    private void giveWay(ConsumerRecords<String, byte[]> records) throws InterruptedException {
        if (records.count() <= FEW) {
            return;
        }
        var end = Instant.ofEpochMilli(records.iterator().next().timestamp()).plus(LONGEST_WAIT);
        long before;
        do {
            before = door.asked();
            Thread.sleep(LOOK);
        } while (door.asked() - before >= CROWD && clock.instant().isBefore(end));
    }

    private Map<String, Crowd> crowds(ConsumerRecords<String, byte[]> records) {
        var crowds = new LinkedHashMap<String, Crowd>();
        for (var record : records) {
            var customer = customer(record);
            if (record.key() != null && customer != null) {
                var before = crowds.getOrDefault(record.key(), new Crowd(new LinkedHashSet<>(), 0));
                before.customers.add(customer);
                crowds.put(record.key(), new Crowd(before.customers, record.offset() + 1));
            }
        }
        return crowds;
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

    private void decide(String id, Crowd crowd) throws SQLException {
        var locked = sales.lock(id);
        if (locked.isEmpty()) {
            LOG.errorf("there is no flash sale %s; its %d buyers get nothing", id, crowd.customers.size());
            return;
        }
        var sale = locked.get();
        var news = new ArrayList<>(crowd.customers);
        news.removeAll(sales.served(id, crowd.customers));
        var lucky = news.subList(0, Math.min(sale.left(), news.size()));
        var tickets = new ArrayList<Ticket>();
        if (!lucky.isEmpty()) {
            tickets.addAll(place(sale, lucky));
        }
        news.subList(lucky.size(), news.size())
                .forEach(customer -> tickets.add(new Ticket(customer, Outcome.SOLD_OUT, null)));
        var granted = (int)
                tickets.stream().filter(ticket -> ticket.orderId() != null).count();
        sales.decided(id, tickets, granted, crowd.nextOffset);
    }

    private List<Ticket> place(FlashSale sale, List<UUID> customers) throws SQLException {
        var placements = customers.stream()
                .map(customer -> new Placement(
                        IDS.generate(),
                        new Wish(customer, List.of(new Wish.Item(sale.sku(), 1)), PaymentMethod.BALANCE, null),
                        "flash-sale:" + sale.id(),
                        null))
                .toList();
        var answers = commands.place(placements);
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
