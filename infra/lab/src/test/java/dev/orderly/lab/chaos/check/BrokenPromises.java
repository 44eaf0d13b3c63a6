package dev.orderly.lab.chaos.check;

import static dev.orderly.lab.chaos.check.Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST;
import static dev.orderly.lab.chaos.check.Invariant.I02_MONEY_IS_CONSERVED;
import static dev.orderly.lab.chaos.check.Invariant.I03_PAID_EXACTLY_ONCE;
import static dev.orderly.lab.chaos.check.Invariant.I04_STOCK_IS_CONSERVED;
import static dev.orderly.lab.chaos.check.Invariant.I05_RESERVATIONS_ARE_RESOLVED;
import static dev.orderly.lab.chaos.check.Invariant.I06_ORDERS_END;
import static dev.orderly.lab.chaos.check.Invariant.I07_TRANSITIONS_ARE_LEGAL;
import static dev.orderly.lab.chaos.check.Invariant.I08_OUTBOX_IS_PUBLISHED;
import static dev.orderly.lab.chaos.check.Invariant.I09_EVENTS_ARE_IN_ORDER;
import static dev.orderly.lab.chaos.check.Invariant.I10_EVENTS_ARE_SEEN;
import static dev.orderly.lab.chaos.check.Invariant.I11_VIEW_IS_THE_FOLD;
import static dev.orderly.lab.chaos.check.Invariant.I12_OFFSETS_NEVER_GO_BACK;
import static dev.orderly.lab.chaos.check.Invariant.I13_PARKED_IS_THE_POISON;
import static dev.orderly.lab.chaos.check.Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME;
import static dev.orderly.lab.chaos.check.Invariant.I15_CARDS_ARE_CHARGED_ONCE;
import static dev.orderly.lab.chaos.check.Invariant.I16_SOMETHING_ALWAYS_WORKS;
import static dev.orderly.lab.chaos.check.Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST;
import static dev.orderly.lab.chaos.check.Invariant.I18_NOTHING_UNEXPECTED_IS_LOGGED;
import static dev.orderly.lab.chaos.check.Invariant.I19_PERSONAL_DATA_IS_CONFINED;
import static dev.orderly.lab.chaos.check.Invariant.I20_A_REBUILD_CHANGES_NOTHING;
import static dev.orderly.lab.chaos.check.Invariant.L01_OUTCOMES_ARE_RIGHT;
import static dev.orderly.lab.chaos.check.Invariant.L02_MESSAGES_ARE_SENT;
import static dev.orderly.lab.chaos.check.Invariant.L03_EFFECTS_ARE_ONCE_AND_IN_ORDER;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.FUNDED;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.NOW;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.accepted;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.capture;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.commit;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.deposit;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.event;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.found;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.operation;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.order;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.place;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.position;
import static dev.orderly.lab.chaos.check.SnapshotBuilder.refusedRestock;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.orderly.lab.chaos.check.SnapshotBuilder.InboxRow;
import dev.orderly.lab.chaos.check.SnapshotBuilder.LostSlot;
import dev.orderly.lab.chaos.check.SnapshotBuilder.Mail;
import dev.orderly.lab.chaos.check.SnapshotBuilder.PendingWork;
import dev.orderly.lab.chaos.check.SnapshotBuilder.UnexpectedError;
import dev.orderly.lab.chaos.check.SnapshotBuilder.ViewDifference;
import dev.orderly.lab.chaos.check.SystemSnapshot.BalanceRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.JournalEntry;
import dev.orderly.lab.chaos.check.SystemSnapshot.KeyRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.MessageRow;
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
import dev.orderly.lab.chaos.fault.Disturbances.ConsumerPosition;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.lab.chaos.workload.TestPerson;
import java.time.Duration;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** What each invariant must see: a quiet shop, and the one thing in it that is wrong. */
final class BrokenPromises {
    private BrokenPromises() {}

    private static Arguments broken(Invariant invariant, String how, UnaryOperator<SnapshotBuilder> damage) {
        return argumentSet(invariant + ": " + how, invariant, damage);
    }

    static Stream<Arguments> about_orders() {
        return Stream.of(
                broken(
                        I01_ACKNOWLEDGED_ORDERS_EXIST,
                        "an accepted order is lost",
                        shop -> shop.without(OrderRow.class, row -> row.id().equals("confirmed"))
                                .without(KeyRow.class, row -> row.order().equals("confirmed"))),
                broken(
                        I01_ACKNOWLEDGED_ORDERS_EXIST,
                        "two orders for one key",
                        shop -> shop.with(place("key-confirmed", Outcome.OK, "another"))),
                broken(
                        I01_ACKNOWLEDGED_ORDERS_EXIST,
                        "an order that was refused exists",
                        shop -> shop.without(Operation.class, place -> "key-confirmed".equals(place.key()))
                                .with(place("key-confirmed", Outcome.FAIL, null))),
                broken(
                        I01_ACKNOWLEDGED_ORDERS_EXIST,
                        "an order that no client placed",
                        shop -> shop.without(Operation.class, place -> "key-confirmed".equals(place.key()))),
                broken(
                        I01_ACKNOWLEDGED_ORDERS_EXIST,
                        "an order of another customer",
                        shop -> shop.with(order("confirmed").of("unfunded").confirmed())),
                broken(
                        I06_ORDERS_END,
                        "an order stays pending",
                        shop -> shop.with(order("confirmed").pending())),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a cancellation that no client requested",
                        shop -> shop.without(Operation.class, operation -> operation.action() == Action.CANCEL)),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a cancellation is lost",
                        shop -> shop.with(order("cancelled").confirmed())),
                broken(
                        L01_OUTCOMES_ARE_RIGHT,
                        "rejected without a reason",
                        shop -> shop.with(order("confirmed").rejected("out of stock: short"))),
                broken(
                        L02_MESSAGES_ARE_SENT,
                        "no message",
                        shop -> shop.without(
                                MessageRow.class, message -> message.about().equals("confirmed"))),
                broken(
                        L02_MESSAGES_ARE_SENT,
                        "the wrong message",
                        shop -> shop.with(new MessageRow("confirmed", "REJECTED", "SENT"))),
                broken(
                        L02_MESSAGES_ARE_SENT,
                        "a copy under an id of its own",
                        shop -> shop.with(new Mail("<confirmed.2@orderly.example>"))));
    }

    static Stream<Arguments> about_money() {
        return Stream.of(
                broken(I02_MONEY_IS_CONSERVED, "money appears", shop -> shop.with(new BalanceRow(FUNDED, 901))),
                broken(
                        I02_MONEY_IS_CONSERVED,
                        "a capture is lost",
                        shop -> shop.without(TransferRow.class, transfer -> "confirmed".equals(transfer.order()))),
                broken(
                        I02_MONEY_IS_CONSERVED,
                        "an account with transfers and without a balance",
                        shop -> shop.without(BalanceRow.class)),
                broken(I03_PAID_EXACTLY_ONCE, "captured twice", shop -> shop.withAnother(capture("confirmed"))),
                broken(
                        I03_PAID_EXACTLY_ONCE,
                        "not refunded",
                        shop -> shop.without(
                                TransferRow.class, transfer -> transfer.kind().equals("REFUND"))),
                broken(
                        I03_PAID_EXACTLY_ONCE,
                        "captured from another customer",
                        shop -> shop.with(
                                new TransferRow("CAPTURE", "customer:unfunded", "merchant", 100, "confirmed", null))),
                broken(
                        I03_PAID_EXACTLY_ONCE,
                        "refunded to another customer",
                        shop -> shop.with(
                                new TransferRow("REFUND", "merchant", "customer:unfunded", 100, "cancelled", null))),
                broken(
                        I15_CARDS_ARE_CHARGED_ONCE,
                        "a card is charged that the ledger does not know",
                        shop -> shop.with(new JournalEntry("confirmed", "payment.succeeded"))),
                broken(
                        I15_CARDS_ARE_CHARGED_ONCE,
                        "a card is charged after the order expired, and not refunded",
                        shop -> shop.with(new JournalEntry("cancelled", "payment.succeeded"))
                                .withAnother(
                                        new TransferRow("CAPTURE", "gateway", "merchant", 100, "cancelled", null))),
                broken(
                        I15_CARDS_ARE_CHARGED_ONCE,
                        "a forged callback is acknowledged",
                        shop -> shop.with(new JournalEntry("confirmed", "acceptedForgery"))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a deposit is made of another amount",
                        shop -> shop.with(deposit("opening", 10))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a deposit is lost",
                        shop -> shop.without(
                                TransferRow.class, transfer -> transfer.kind().equals("DEPOSIT"))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a deposit is made twice",
                        shop -> shop.withAnother(deposit("opening", 1000))));
    }

    static Stream<Arguments> about_stock() {
        return Stream.of(
                broken(I04_STOCK_IS_CONSERVED, "an item is lost", shop -> shop.with(new StockRow("short", 3, 0, 1))),
                broken(I04_STOCK_IS_CONSERVED, "sold to no order", shop -> shop.with(new StockRow("short", 3, 0, 2))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a restock is lost",
                        shop -> shop.without(RestockRow.class)),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a restock is made twice",
                        shop -> shop.withAnother(new RestockRow("short", "delivered", 1000))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a restock is made of another quantity",
                        shop -> shop.without(RestockRow.class).with(new RestockRow("short", "delivered", 10))),
                broken(
                        I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        "a restock that was refused is made",
                        shop -> shop.with(refusedRestock("late")).with(new RestockRow("short", "late", 1000))),
                broken(
                        I05_RESERVATIONS_ARE_RESOLVED,
                        "reserved for a cancelled order",
                        shop -> shop.with(new ReservationRow("cancelled", "RESERVED"))));
    }

    static Stream<Arguments> about_events() {
        return Stream.of(
                broken(
                        I07_TRANSITIONS_ARE_LEGAL,
                        "an event without its cause",
                        shop -> shop.withoutEvent("confirmed", "StockReserved")),
                broken(
                        I07_TRANSITIONS_ARE_LEGAL,
                        "two outcomes",
                        shop -> shop.with(event("confirmed", "OrderCancelled", "order-service", 3))),
                broken(
                        I08_OUTBOX_IS_PUBLISHED,
                        "an event is never published",
                        shop -> shop.withoutEvent("cancelled", "PaymentRefunded")),
                broken(
                        I08_OUTBOX_IS_PUBLISHED,
                        "an event of a rolled back transaction",
                        shop -> shop.without(OutboxRow.class, row -> row.type().equals("PaymentRefunded"))),
                broken(
                        I08_OUTBOX_IS_PUBLISHED,
                        "the relay loses an event, and the auditor republishes it",
                        shop -> shop.with(new LostSlot("others"))
                                .with(new OutboxRow(
                                        "orders",
                                        event("confirmed", "OrderPlaced", "", 1).id(),
                                        "",
                                        "",
                                        1))),
                broken(
                        I09_EVENTS_ARE_IN_ORDER,
                        "two partitions",
                        shop -> shop.with(new TopicEvent(
                                1, 0, "confirmed", UUID.randomUUID(), "OrderPlaced", "order-service", 1))),
                broken(
                        I09_EVENTS_ARE_IN_ORDER,
                        "a version is skipped",
                        shop -> shop.withoutEvent("cancelled", "PaymentCaptured")),
                broken(
                        I10_EVENTS_ARE_SEEN,
                        "a group has missed an event",
                        shop -> shop.without(InboxRow.class, row -> row.group().equals("payment-consumer-group"))),
                broken(
                        I12_OFFSETS_NEVER_GO_BACK,
                        "a group has read less than before",
                        shop -> shop.with(commit("payment-consumer-group", 7, 1))),
                broken(
                        I12_OFFSETS_NEVER_GO_BACK,
                        "a rebalance has a group begin again",
                        shop -> shop.with(commit("payment-consumer-group", 1000, 1))
                                .with(commit("payment-consumer-group", 8, 2))),
                broken(
                        I12_OFFSETS_NEVER_GO_BACK,
                        "another group than the one that was reset",
                        shop -> shop.without(ConsumerPosition.class).with(position("payment-consumer-group", 3))),
                broken(
                        I13_PARKED_IS_THE_POISON,
                        "parked without a reason",
                        shop -> shop.with(new ParkedRow("order-consumer-group", 0, 1, "confirmed", "FAILED"))),
                broken(I13_PARKED_IS_THE_POISON, "poison is swallowed", shop -> shop.without(ParkedRow.class)));
    }

    static Stream<Arguments> about_the_view() {
        return Stream.of(
                broken(
                        I11_VIEW_IS_THE_FOLD,
                        "the view shows another status",
                        shop -> shop.with(new ViewRow("confirmed", "CANCELLED", null, 2, 4))),
                broken(
                        I11_VIEW_IS_THE_FOLD,
                        "the view lacks an order",
                        shop -> shop.without(ViewRow.class, view -> view.order().equals("confirmed"))),
                broken(
                        I20_A_REBUILD_CHANGES_NOTHING,
                        "a rebuilt view says something else",
                        shop -> shop.with(new ViewDifference("confirmed"))),
                broken(
                        L03_EFFECTS_ARE_ONCE_AND_IN_ORDER,
                        "an effect twice",
                        shop -> shop.with(new ViewEventRow("confirmed", 5, "OrderConfirmed", "order-service", 2, NOW))),
                broken(
                        L03_EFFECTS_ARE_ONCE_AND_IN_ORDER,
                        "an effect out of order",
                        shop -> shop.without(
                                        ViewEventRow.class,
                                        row -> row.order().equals("confirmed") && row.position() == 1)
                                .with(new ViewEventRow("confirmed", 2, "OrderPlaced", "order-service", 1, NOW))));
    }

    static Stream<Arguments> about_time() {
        return Stream.of(
                broken(
                        I14_ORDERS_ARE_DECIDED_IN_TIME,
                        "an order expires before its deadline",
                        shop -> shop.with(order("cancelled").expired())),
                broken(
                        I14_ORDERS_ARE_DECIDED_IN_TIME,
                        "an order is decided long after its deadline",
                        shop -> shop.withOrderConfirmedAfter(Duration.ofSeconds(70))),
                broken(
                        I14_ORDERS_ARE_DECIDED_IN_TIME,
                        "an order is decided later than an outage explains",
                        shop -> shop.withOrderConfirmedAfter(Duration.ofSeconds(100))
                                .withOutage(20, 60)),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "never quiescent",
                        shop -> shop.with(new PendingWork("payment-consumer-group is 3 events behind"))),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "a long silence",
                        shop -> shop.withLoadOf(Duration.ofSeconds(300)).with(accepted(Action.PLACE, 250))),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "a silence that does not end",
                        shop -> shop.withLoadOf(Duration.ofSeconds(250))),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "no order is accepted, while stock is",
                        shop -> shop.withLoadOf(Duration.ofSeconds(250)).with(accepted(Action.RESTOCK, 120))),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "a silence that a power cut does not explain",
                        shop -> shop.withLoadOf(Duration.ofSeconds(290)).withPowerCut(10, 40)),
                broken(
                        I16_SOMETHING_ALWAYS_WORKS,
                        "the last order is refused",
                        shop -> shop.with(new Operation(
                                9,
                                Action.PLACE,
                                FUNDED,
                                "last",
                                Intent.CONFIRMED,
                                1,
                                NOW.plusSeconds(1),
                                NOW.plusSeconds(2),
                                Outcome.FAIL,
                                503,
                                null))),
                broken(
                        I18_NOTHING_UNEXPECTED_IS_LOGGED,
                        "an error of another kind",
                        shop -> shop.with(new UnexpectedError("order-service: ERROR NullPointerException"))));
    }

    static Stream<Arguments> about_privacy() {
        return Stream.of(
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "a log has personal data",
                        shop -> shop.with(found("log of order-service", 1))),
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "a customer is on the topic of orders",
                        shop -> shop.with(found("topic order-service", 1))),
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "a customer is in a table that is not meant for it",
                        shop -> shop.with(found("table inventory.reservation", 1))),
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "an erased customer is still there",
                        shop -> shop.with(operation(Action.ERASE, new TestPerson(1).marker(), null, null))),
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "a customer who registered is lost",
                        shop -> shop.without(PersonalDataFinding.class)),
                broken(
                        I19_PERSONAL_DATA_IS_CONFINED,
                        "a customer who registered cannot be written to",
                        shop -> shop.without(
                                PersonalDataFinding.class,
                                data -> data.place().equals("table notifications.contact"))));
    }
}
