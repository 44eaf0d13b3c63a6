package dev.orderly.lab.chaos.check;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.lab.chaos.check.SystemSnapshot.BalanceRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.JournalEntry;
import dev.orderly.lab.chaos.check.SystemSnapshot.KeyRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.MessageRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.OffsetCommit;
import dev.orderly.lab.chaos.check.SystemSnapshot.OrderRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.OutboxRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ParkedRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.PersonalDataFinding;
import dev.orderly.lab.chaos.check.SystemSnapshot.ReservationRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.RestockRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.StockRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.TopicEvent;
import dev.orderly.lab.chaos.check.SystemSnapshot.TransferRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ViewEventRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ViewRow;
import dev.orderly.lab.chaos.fault.Disturbances;
import dev.orderly.lab.chaos.fault.Disturbances.ConsumerPosition;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.lab.chaos.workload.TestPerson;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/** A snapshot made by hand. Where a table has a primary key, a row that is added replaces the former one. */
final class SnapshotBuilder {
    static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
    static final String FUNDED = "funded";

    private final List<Record> rows = new ArrayList<>();
    private final List<TimeSpan> outages = new ArrayList<>();
    private final List<TimeSpan> powerCuts = new ArrayList<>();
    private Duration load = Duration.ZERO;

    /** An event in the inbox of a consumer group. */
    record InboxRow(String group, UUID event) {}

    record Mail(String id) {}

    record LostSlot(String database) {}

    record PendingWork(String what) {}

    record UnexpectedError(String line) {}

    record ViewDifference(String order) {}

    /** One order that was confirmed, one that was cancelled after it had been paid, and one poison record. */
    static SnapshotBuilder aQuietShop() {
        return new SnapshotBuilder()
                .withHistory()
                .withConfirmedOrder("confirmed")
                .withCancelledOrder("cancelled")
                .with(deposit("opening", 1000))
                .with(new BalanceRow(FUNDED, 900))
                .with(new StockRow("short", 4, 0, 1))
                .with(new RestockRow("short", "delivered", 1000))
                .with(new Mail("<confirmed.confirmed@orderly.example>"))
                .withOffsets()
                .withCustomers()
                .withPoison();
    }

    private SnapshotBuilder withHistory() {
        return with(place("key-confirmed", Outcome.OK, "confirmed"))
                .with(place("key-cancelled", Outcome.UNKNOWN, null))
                .with(place("key-cancelled", Outcome.OK, "cancelled"))
                .with(operation(Action.CANCEL, "cancelled", null, "cancelled"))
                .with(operation(Action.RESTOCK, "short", "delivered", null))
                .with(operation(Action.DEPOSIT, FUNDED, "opening", null));
    }

    private SnapshotBuilder withConfirmedOrder(String id) {
        return with(order(id).confirmed())
                .with(new KeyRow(FUNDED, "key-" + id, id))
                .withEvent(id, "OrderPlaced", "order-service", 1)
                .withEvent(id, "StockReserved", "inventory-service", 1)
                .withEvent(id, "PaymentCaptured", "payment-service", 1)
                .withEvent(id, "OrderConfirmed", "order-service", 2)
                .with(new ViewRow(id, "CONFIRMED", null, 2, 4))
                .with(new ReservationRow(id, "COMMITTED"))
                .with(capture(id))
                .with(new MessageRow(id, "CONFIRMED", "SENT"));
    }

    private SnapshotBuilder withCancelledOrder(String id) {
        return with(order(id).cancelled())
                .with(new KeyRow(FUNDED, "key-" + id, id))
                .withEvent(id, "OrderPlaced", "order-service", 1)
                .withEvent(id, "StockReserved", "inventory-service", 1)
                .withEvent(id, "OrderCancelled", "order-service", 2)
                .withEvent(id, "PaymentCaptured", "payment-service", 1)
                .withEvent(id, "PaymentRefunded", "payment-service", 2)
                .with(new ViewRow(id, "CANCELLED", "cancelled by the customer", 2, 5))
                .with(new ReservationRow(id, "RELEASED"))
                .with(capture(id))
                .with(refund(id))
                .with(new MessageRow(id, "CANCELLED", "SENT"));
    }

    private SnapshotBuilder withEvent(String order, String type, String source, int version) {
        var event = event(order, type, source, version);
        int position = all(ViewEventRow.class, row -> row.order().equals(order)).size() + 1;
        PoisonRecord.Groups.reactingTo(type).forEach(group -> with(new InboxRow(group, event.id())));
        return with(event)
                .with(new OutboxRow(
                        source.equals("order-service") ? "orders" : "others", event.id(), order, type, version))
                .with(new ViewEventRow(order, position, type, source, version, NOW));
    }

    /** One group goes on; the other was reset, and sent a commit that was decided on before a rebalance. */
    private SnapshotBuilder withOffsets() {
        return with(commit("payment-consumer-group", 5, 1))
                .with(commit("payment-consumer-group", 8, 1))
                .with(commit("order-consumer-group", 8, 1))
                .with(commit("order-consumer-group", 3, 1))
                .with(commit("order-consumer-group", 8, 1))
                .with(position("order-consumer-group", 3))
                .with(commit("order-consumer-group", 7, 2));
    }

    /** Two who registered, the second of whom was erased. */
    private SnapshotBuilder withCustomers() {
        return with(operation(Action.REGISTER, new TestPerson(1).marker(), "key-1", "a"))
                .with(operation(Action.REGISTER, new TestPerson(2).marker(), "key-2", "b"))
                .with(operation(Action.ERASE, new TestPerson(2).marker(), null, "b"))
                .with(found("table orders.customer", 1))
                .with(found("table notifications.contact", 1))
                .with(found("topic customer-service", 1))
                .with(found("topic customer-service", 2));
    }

    private SnapshotBuilder withPoison() {
        with(new PoisonRecord.Injected(PoisonRecord.NOT_JSON, 2, 7));
        PoisonRecord.NOT_JSON.parkedBy().forEach(group -> with(new ParkedRow(group, 2, 7, null, "UNREADABLE")));
        return this;
    }

    SnapshotBuilder with(Record row) {
        rows.removeIf(former -> former.getClass() == row.getClass() && isSameKey(former, row));
        return withAnother(row);
    }

    private static boolean isSameKey(Record former, Record row) {
        return switch (row) {
            case OrderRow order -> order.id().equals(((OrderRow) former).id());
            case BalanceRow balance -> balance.customer().equals(((BalanceRow) former).customer());
            case StockRow stock -> stock.sku().equals(((StockRow) former).sku());
            case ReservationRow reservation -> reservation.order().equals(((ReservationRow) former).order());
            case ViewRow view -> view.order().equals(((ViewRow) former).order());
            case MessageRow message -> message.about().equals(((MessageRow) former).about());
            case TransferRow transfer -> isSamePurpose(transfer, (TransferRow) former);
            default -> false;
        };
    }

    private static boolean isSamePurpose(TransferRow one, TransferRow other) {
        return one.kind().equals(other.kind()) && Objects.equals(one.order(), other.order());
    }

    SnapshotBuilder withAnother(Record row) {
        rows.add(row);
        return this;
    }

    <T extends Record> SnapshotBuilder without(Class<T> table) {
        return without(table, _ -> true);
    }

    <T extends Record> SnapshotBuilder without(Class<T> table, Predicate<T> which) {
        rows.removeAll(all(table, which));
        return this;
    }

    SnapshotBuilder withoutEvent(String order, String type) {
        return without(
                TopicEvent.class,
                event -> event.order().equals(order) && event.type().equals(type));
    }

    SnapshotBuilder withTheTopicOnceMore() {
        all(TopicEvent.class).reversed().forEach(this::withAnother);
        return this;
    }

    SnapshotBuilder withOrderConfirmedAfter(Duration time) {
        return without(ViewEventRow.class, row -> row.type().equals("OrderConfirmed"))
                .with(new ViewEventRow("confirmed", 4, "OrderConfirmed", "order-service", 2, NOW.plus(time)));
    }

    SnapshotBuilder withLoadOf(Duration time) {
        load = time;
        return this;
    }

    SnapshotBuilder withOutage(int fromSecond, int toSecond) {
        outages.add(new TimeSpan(NOW.plusSeconds(fromSecond), NOW.plusSeconds(toSecond)));
        return this;
    }

    SnapshotBuilder withPowerCut(int fromSecond, int toSecond) {
        powerCuts.add(new TimeSpan(NOW.plusSeconds(fromSecond), NOW.plusSeconds(toSecond)));
        return this;
    }

    SystemSnapshot build() {
        var inbox = all(InboxRow.class).stream()
                .collect(Collectors.groupingBy(
                        InboxRow::group, Collectors.mapping(InboxRow::event, Collectors.toSet())));
        return new SystemSnapshot(
                new SystemSnapshot.ClientHistory(all(Operation.class), new TimeSpan(NOW, NOW.plus(load))),
                new SystemSnapshot.KafkaLog(
                        all(TopicEvent.class), all(PoisonRecord.Injected.class), all(OffsetCommit.class)),
                new SystemSnapshot.Messaging(all(OutboxRow.class), inbox, all(ParkedRow.class)),
                new SystemSnapshot.Orders(
                        all(OrderRow.class),
                        all(KeyRow.class),
                        all(ViewRow.class),
                        all(ViewEventRow.class),
                        Duration.ofSeconds(30)),
                new SystemSnapshot.Inventory(all(StockRow.class), all(ReservationRow.class), all(RestockRow.class)),
                new SystemSnapshot.Payments(all(TransferRow.class), all(BalanceRow.class), all(JournalEntry.class)),
                new SystemSnapshot.Notifications(
                        all(MessageRow.class),
                        all(Mail.class).stream().map(Mail::id).collect(Collectors.toSet())),
                new SystemSnapshot.Observations(
                        all(ViewDifference.class).stream()
                                .map(ViewDifference::order)
                                .toList(),
                        all(UnexpectedError.class).stream()
                                .map(UnexpectedError::line)
                                .toList(),
                        all(PersonalDataFinding.class),
                        outages,
                        all(PendingWork.class).stream().map(PendingWork::what).toList()),
                new Disturbances(
                        powerCuts,
                        Set.copyOf(all(ConsumerPosition.class)),
                        all(LostSlot.class).stream().map(LostSlot::database).collect(Collectors.toSet()),
                        new AtomicLong()));
    }

    private <T extends Record> List<T> all(Class<T> table) {
        return all(table, _ -> true);
    }

    private <T extends Record> List<T> all(Class<T> table, Predicate<T> which) {
        return rows.stream()
                .filter(table::isInstance)
                .map(table::cast)
                .filter(which)
                .toList();
    }

    record OrderDraft(String id, String customer) {
        OrderDraft of(String other) {
            return new OrderDraft(id, other);
        }

        OrderRow pending() {
            return row("PENDING", null, 1);
        }

        OrderRow confirmed() {
            return row("CONFIRMED", null, 2);
        }

        OrderRow rejected(String reason) {
            return row("REJECTED", reason, 2);
        }

        OrderRow cancelled() {
            return row("CANCELLED", "cancelled by the customer", 2);
        }

        OrderRow expired() {
            return row("CANCELLED", "not decided in time", 2);
        }

        private OrderRow row(String status, String reason, int version) {
            return new OrderRow(id, customer, status, reason, 100, version, Map.of("short", 1L), NOW);
        }
    }

    static OrderDraft order(String id) {
        return new OrderDraft(id, FUNDED);
    }

    static Operation place(String key, Outcome outcome, String order) {
        return new Operation(0, Action.PLACE, FUNDED, key, Intent.CONFIRMED, 1000, NOW, NOW, outcome, 0, order);
    }

    static Operation operation(Action action, String subject, String key, String order) {
        return new Operation(0, action, subject, key, Intent.ANY, 1000, NOW, NOW, Outcome.OK, 0, order);
    }

    static Operation refusedRestock(String key) {
        return new Operation(0, Action.RESTOCK, "short", key, Intent.ANY, 1000, NOW, NOW, Outcome.FAIL, 409, null);
    }

    static Operation accepted(Action action, int second) {
        var then = NOW.plusSeconds(second);
        return new Operation(
                9, action, FUNDED, "key-confirmed", Intent.ANY, 1, NOW, then, Outcome.OK, 200, "confirmed");
    }

    static TopicEvent event(String order, String type, String source, int version) {
        return new TopicEvent(
                0, 0, order, UUID.nameUUIDFromBytes((order + type).getBytes(UTF_8)), type, source, version);
    }

    static TransferRow deposit(String key, long amount) {
        return new TransferRow("DEPOSIT", "bank", "customer:" + FUNDED, amount, null, key);
    }

    static TransferRow capture(String order) {
        return new TransferRow("CAPTURE", "customer:" + FUNDED, "merchant", 100, order, null);
    }

    static TransferRow refund(String order) {
        return new TransferRow("REFUND", "merchant", "customer:" + FUNDED, 100, order, null);
    }

    static OffsetCommit commit(String group, long offset, int generation) {
        return new OffsetCommit(position(group, offset), generation);
    }

    static ConsumerPosition position(String group, long offset) {
        return new ConsumerPosition(group, new TopicPartition("order-service", 0), offset);
    }

    static PersonalDataFinding found(String place, int person) {
        return new PersonalDataFinding(place, new TestPerson(person));
    }
}
