package dev.orderly.lab.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.orderly.lab.chaos.check.SystemSnapshot.Balance;
import dev.orderly.lab.chaos.check.SystemSnapshot.Entry;
import dev.orderly.lab.chaos.check.SystemSnapshot.Event;
import dev.orderly.lab.chaos.check.SystemSnapshot.Key;
import dev.orderly.lab.chaos.check.SystemSnapshot.Letter;
import dev.orderly.lab.chaos.check.SystemSnapshot.Order;
import dev.orderly.lab.chaos.check.SystemSnapshot.OutboxRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.Parked;
import dev.orderly.lab.chaos.check.SystemSnapshot.Reservation;
import dev.orderly.lab.chaos.check.SystemSnapshot.Stock;
import dev.orderly.lab.chaos.check.SystemSnapshot.Transfer;
import dev.orderly.lab.chaos.check.SystemSnapshot.View;
import dev.orderly.lab.chaos.fault.ConsumerPosition;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each checker on a small history: it has nothing against one that is right, and sees the one thing that is wrong. */
class InvariantTest {

    private static final Instant NOW = Instant.parse("2026-11-23T10:00:00Z");
    private static final String RICH = "rich";

    @Test
    void a_history_in_which_every_promise_was_kept_violates_none() {
        var evidence = new Shop().evidence();

        for (var invariant : Invariant.values()) {
            assertThat(invariant.violations(evidence)).as(invariant.name()).isEmpty();
        }
    }

    @Test
    void duplicates_on_the_topic_violate_nothing() {
        var shop = new Shop();
        shop.topic.addAll(List.copyOf(shop.topic).reversed());

        for (var invariant : Invariant.values()) {
            assertThat(invariant.violations(shop.evidence()))
                    .as(invariant.name())
                    .isEmpty();
        }
    }

    @Test
    void an_order_may_be_late_while_nobody_was_there_to_decide_it() {
        var shop = new Shop();
        shop.decidedAfter("confirmed", Duration.ofSeconds(100));
        shop.away.add(new TimeSpan(NOW.plusSeconds(20), NOW.plusSeconds(75)));

        assertThat(Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME.violations(shop.evidence()))
                .isEmpty();
    }

    @Test
    void people_are_found_by_name_and_mail_and_phone_and_in_what_is_printed_as_hex_digits() {
        var person = new TestPerson(12);
        var values = person.registration().values();

        assertThat(values).allSatisfy(value -> {
            assertThat(TestPerson.in("x" + value + "x")).containsExactly(person);
            var hex = java.util.HexFormat.of().formatHex(value.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            assertThat(TestPerson.in("(\\x" + hex + ")")).containsExactly(person);
        });
        assertThat(TestPerson.in("an order of 4915599")).isEmpty();
    }

    @ParameterizedTest
    @MethodSource
    void each_broken_promise_is_seen(Invariant invariant, Consumer<Shop> damage) {
        var shop = new Shop();
        damage.accept(shop);

        assertThat(invariant.violations(shop.evidence())).isNotEmpty();
    }

    static Stream<Arguments> each_broken_promise_is_seen() {
        return Stream.of(
                broken("an accepted order is lost", Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST, shop -> {
                    shop.orders.removeFirst();
                    shop.keys.removeFirst();
                }),
                broken(
                        "two orders for one key",
                        Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST,
                        shop -> shop.operations.add(placed("key-confirmed", Intent.CONFIRMED, Outcome.OK, "another"))),
                broken(
                        "an order that was refused is there",
                        Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST,
                        shop -> shop.operations.set(0, placed("key-confirmed", Intent.CONFIRMED, Outcome.FAIL, null))),
                broken(
                        "an order that nobody asked for",
                        Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST,
                        shop -> shop.operations.removeFirst()),
                broken(
                        "money appears",
                        Invariant.I02_MONEY_IS_CONSERVED,
                        shop -> shop.balances.set(0, new Balance(RICH, 901))),
                broken(
                        "a capture is lost",
                        Invariant.I02_MONEY_IS_CONSERVED,
                        shop -> shop.transfers.removeIf(transfer -> "confirmed".equals(transfer.order()))),
                broken(
                        "captured twice",
                        Invariant.I03_PAID_EXACTLY_ONCE,
                        shop -> shop.transfers.add(capture("confirmed"))),
                broken(
                        "not refunded",
                        Invariant.I03_PAID_EXACTLY_ONCE,
                        shop -> shop.transfers.removeIf(
                                transfer -> transfer.kind().equals("REFUND"))),
                broken(
                        "an item is lost",
                        Invariant.I04_STOCK_IS_CONSERVED,
                        shop -> shop.stock.set(0, new Stock("short", 3, 0, 1))),
                broken(
                        "sold to nobody",
                        Invariant.I04_STOCK_IS_CONSERVED,
                        shop -> shop.stock.set(0, new Stock("short", 3, 0, 2))),
                broken(
                        "kept for a cancelled order",
                        Invariant.I05_RESERVATIONS_ARE_RESOLVED,
                        shop -> shop.reservations.set(1, new Reservation("cancelled", "RESERVED"))),
                broken(
                        "an order hangs",
                        Invariant.I06_ORDERS_END,
                        shop -> shop.orders.set(0, order("confirmed", "PENDING", null, 1))),
                broken("an event without its cause", Invariant.I07_TRANSITIONS_ARE_LEGAL, shop -> shop.topic.remove(1)),
                broken(
                        "two ends",
                        Invariant.I07_TRANSITIONS_ARE_LEGAL,
                        shop -> shop.topic.add(event(0, "confirmed", "OrderCancelled", "order-service", 3))),
                broken(
                        "an event is never published",
                        Invariant.I08_OUTBOX_IS_PUBLISHED,
                        shop -> shop.topic.removeLast()),
                broken(
                        "an event of a rolled back transaction",
                        Invariant.I08_OUTBOX_IS_PUBLISHED,
                        shop -> shop.outbox.removeLast()),
                broken(
                        "two partitions",
                        Invariant.I09_ORDER_IS_KEPT,
                        shop -> shop.topic.add(event(1, "confirmed", "OrderPlaced", "order-service", 1))),
                broken(
                        "a version is skipped",
                        Invariant.I09_ORDER_IS_KEPT,
                        shop -> shop.topic.removeIf(event -> event.order().equals("cancelled")
                                && event.type().equals("PaymentCaptured"))),
                broken(
                        "an event has passed by a group",
                        Invariant.I10_EVENTS_ARE_SEEN,
                        shop -> shop.inbox.get("payment-consumer-group").clear()),
                broken(
                        "an effect twice",
                        Invariant.L03_EFFECTS_ARE_ONCE_AND_IN_ORDER,
                        shop -> shop.entries.add(entry("confirmed", 5, "OrderConfirmed", "order-service", 2))),
                broken(
                        "an effect out of order",
                        Invariant.L03_EFFECTS_ARE_ONCE_AND_IN_ORDER,
                        shop -> java.util.Collections.swap(shop.entries, 0, 1)),
                broken(
                        "the view shows what is not so",
                        Invariant.I11_VIEW_IS_THE_FOLD,
                        shop -> shop.views.set(0, new View("confirmed", "CANCELLED", null, 2, 4))),
                broken("the view lacks an order", Invariant.I11_VIEW_IS_THE_FOLD, shop -> shop.views.removeFirst()),
                broken(
                        "parked for no reason",
                        Invariant.I13_PARKED_IS_THE_POISON,
                        shop -> shop.parked.add(new Parked("order-consumer-group", 0, 1, "confirmed", "FAILED"))),
                broken(
                        "a group has read less than before",
                        Invariant.I12_OFFSETS_NEVER_GO_BACK,
                        shop -> shop.commits.add(commit("payment-consumer-group", 7))),
                broken("a rebalance has a group begin anew", Invariant.I12_OFFSETS_NEVER_GO_BACK, shop -> {
                    shop.commits.add(commit("payment-consumer-group", 1000));
                    shop.commits.add(commit("payment-consumer-group", 8, 2));
                }),
                broken("another group than the one that was set back", Invariant.I12_OFFSETS_NEVER_GO_BACK, shop -> {
                    shop.rewinds.clear();
                    shop.rewinds.add(position("payment-consumer-group", 3));
                }),
                broken(
                        "an order is given up before its time",
                        Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME,
                        shop -> shop.orders.set(1, order("cancelled", "CANCELLED", SystemSnapshot.GIVEN_UP, 2))),
                broken(
                        "an order is decided long after its deadline",
                        Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME,
                        shop -> shop.decidedAfter("confirmed", Duration.ofSeconds(70))),
                broken(
                        "an order is decided later than an absence explains",
                        Invariant.I14_ORDERS_ARE_DECIDED_IN_TIME,
                        shop -> {
                            shop.decidedAfter("confirmed", Duration.ofSeconds(100));
                            shop.away.add(new TimeSpan(NOW.plusSeconds(20), NOW.plusSeconds(60)));
                        }),
                broken(
                        "a log talks about people",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.traces.add(new SystemSnapshot.Trace("log of order-service", new TestPerson(1)))),
                broken(
                        "a person is on the topic of orders",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.traces.add(new SystemSnapshot.Trace("topic order-service", new TestPerson(1)))),
                broken(
                        "a person is in a table that is not for people",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.traces.add(
                                new SystemSnapshot.Trace("table inventory.reservation", new TestPerson(1)))),
                broken(
                        "a person who was forgotten is remembered",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.operations.add(operation(
                                Action.FORGET, new TestPerson(1).mark(), null, Intent.ANY, Outcome.OK, null))),
                broken(
                        "a person who registered is lost",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.traces.clear()),
                broken("poison is swallowed", Invariant.I13_PARKED_IS_THE_POISON, shop -> shop.parked.clear()),
                broken(
                        "no rest",
                        Invariant.I16_SOMETHING_ALWAYS_WORKS,
                        shop -> shop.unquiet.add("payment-consumer-group is 3 events behind")),
                broken("a long silence", Invariant.I16_SOMETHING_ALWAYS_WORKS, shop -> {
                    shop.load = Duration.ofSeconds(300);
                    shop.operations.add(acceptedAfter(Action.PLACE, 250));
                }),
                broken(
                        "a silence that does not end",
                        Invariant.I16_SOMETHING_ALWAYS_WORKS,
                        shop -> shop.load = Duration.ofSeconds(250)),
                broken(
                        "a silence of orders, in which shelves are filled",
                        Invariant.I16_SOMETHING_ALWAYS_WORKS,
                        shop -> {
                            shop.load = Duration.ofSeconds(250);
                            shop.operations.add(acceptedAfter(Action.RESTOCK, 120));
                        }),
                broken("a silence that a power cut does not explain", Invariant.I16_SOMETHING_ALWAYS_WORKS, shop -> {
                    shop.load = Duration.ofSeconds(290);
                    shop.dark.add(new TimeSpan(NOW.plusSeconds(10), NOW.plusSeconds(40)));
                }),
                broken(
                        "no order is accepted when all is over",
                        Invariant.I16_SOMETHING_ALWAYS_WORKS,
                        shop -> shop.operations.add(new Operation(
                                9,
                                Action.PLACE,
                                RICH,
                                "last",
                                Intent.CONFIRMED,
                                1,
                                NOW.plusSeconds(1),
                                NOW.plusSeconds(2),
                                Outcome.FAIL,
                                503,
                                null))),
                broken(
                        "the relay loses an event, and the auditor publishes it again",
                        Invariant.I08_OUTBOX_IS_PUBLISHED,
                        shop -> {
                            shop.lostSlots.add("others");
                            shop.outbox.add(shop.outbox.getFirst());
                        }),
                broken(
                        "captured from another",
                        Invariant.I03_PAID_EXACTLY_ONCE,
                        shop -> shop.transfers.set(
                                1, new Transfer("CAPTURE", "customer:poor", "merchant", 100, "confirmed", null))),
                broken(
                        "refunded to another",
                        Invariant.I03_PAID_EXACTLY_ONCE,
                        shop -> shop.transfers.set(
                                3, new Transfer("REFUND", "merchant", "customer:poor", 100, "cancelled", null))),
                broken(
                        "an account with transfers and without a balance",
                        Invariant.I02_MONEY_IS_CONSERVED,
                        shop -> shop.balances.clear()),
                broken(
                        "an order of another customer",
                        Invariant.I01_ACKNOWLEDGED_ORDERS_EXIST,
                        shop -> shop.orders.set(
                                0,
                                new Order("confirmed", "poor", "CONFIRMED", null, 100, 2, Map.of("short", 1L), NOW))),
                broken(
                        "a deposit is made of another amount",
                        Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        shop -> shop.transfers.set(
                                0, new Transfer("DEPOSIT", "bank", "customer:" + RICH, 10, null, "opening"))),
                broken(
                        "a cancellation that nobody asked for",
                        Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        shop -> shop.operations.removeIf(operation -> operation.action() == Action.CANCEL)),
                broken(
                        "a person who registered cannot be written to",
                        Invariant.I19_PEOPLE_ARE_NOT_TALKED_ABOUT,
                        shop -> shop.traces.removeIf(trace -> trace.place().equals("table notifications.contact"))),
                broken(
                        "a deposit is lost",
                        Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        shop -> shop.transfers.removeFirst()),
                broken(
                        "a deposit is made twice",
                        Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        shop -> shop.transfers.add(shop.transfers.getFirst())),
                broken(
                        "a cancellation is forgotten",
                        Invariant.I17_DEPOSITS_AND_CANCELLATIONS_LAST,
                        shop -> shop.orders.set(1, order("cancelled", "CONFIRMED", null, 2))),
                broken(
                        "a card is charged of which the ledger knows nothing",
                        Invariant.I15_CARDS_ARE_CHARGED_ONCE,
                        shop -> shop.gateway.add(new SystemSnapshot.GatewayEntry("confirmed", "payment.succeeded"))),
                broken(
                        "a card is charged after the order was given up, and nothing is given back",
                        Invariant.I15_CARDS_ARE_CHARGED_ONCE,
                        shop -> {
                            shop.gateway.add(new SystemSnapshot.GatewayEntry("cancelled", "payment.succeeded"));
                            shop.transfers.add(new Transfer("CAPTURE", "gateway", "merchant", 100, "cancelled", null));
                        }),
                broken(
                        "a forged callback is acknowledged",
                        Invariant.I15_CARDS_ARE_CHARGED_ONCE,
                        shop -> shop.gateway.add(new SystemSnapshot.GatewayEntry("confirmed", "acceptedForgery"))),
                broken(
                        "an error of another kind",
                        Invariant.I18_NOTHING_UNEXPECTED_IS_LOGGED,
                        shop -> shop.complaints.add("order-service: ERROR NullPointerException")),
                broken(
                        "a rebuilt view says something else",
                        Invariant.I20_A_REBUILD_CHANGES_NOTHING,
                        shop -> shop.rebuilt.add("order confirmed")),
                broken(
                        "rejected for no reason",
                        Invariant.L01_OUTCOMES_ARE_RIGHT,
                        shop -> shop.orders.set(0, order("confirmed", "REJECTED", "out of stock: short", 2))),
                broken("no letter", Invariant.L02_LETTERS_ARE_SENT, shop -> shop.letters.removeFirst()),
                broken(
                        "the wrong letter",
                        Invariant.L02_LETTERS_ARE_SENT,
                        shop -> shop.letters.set(0, new Letter("confirmed", "REJECTED", "SENT"))),
                broken(
                        "a copy under an id of its own",
                        Invariant.L02_LETTERS_ARE_SENT,
                        shop -> shop.mails.add("<confirmed.2@orderly.example>")));
    }

    @Test
    void a_complaint_is_excused_by_its_cause_and_by_nothing_else() {
        var log = List.of(
                "2026-11-23 10:00:00,000 ERROR [http-problem] (executor-thread-1) status=500: Error invoking method",
                "\tat dev.orderly.order.OrderCommands.place(OrderCommands.java:80)",
                "Caused by: org.postgresql.util.PSQLException: FATAL: terminating connection",
                "2026-11-23 10:00:01,000 INFO  [dev.orderly] (main) an ERROR that is none",
                "2026-11-23 10:00:02,000 ERROR [dev.orderly.order.Order] (executor-thread-1) something new",
                "java.lang.NullPointerException");

        assertThat(SystemSnapshot.unexpected(log, List.of(), false)).containsExactly(log.get(4));
    }

    @Test
    void a_statement_that_is_wrong_is_not_excused_by_the_database() {
        var log = List.of(
                "2026-11-23 10:00:00,000 ERROR [dev.orderly.messaging.EventConsumer] (executor-thread-1) failed",
                "Caused by: org.postgresql.util.PSQLException: ERROR: new row for relation \"stock\" violates check constraint");

        assertThat(SystemSnapshot.unexpected(log, List.of(), true)).containsExactly(log.getFirst());
    }

    @Test
    void parking_is_excused_where_poison_is_and_missing_events_where_a_slot_was_lost() {
        var parking =
                "2026-11-23 10:00:00,000 ERROR [dev.orderly.messaging.EventConsumer] (t) order-consumer-group: parking order-service-2@7";
        var missing =
                "2026-11-23 10:00:00,000 ERROR [dev.orderly.messaging.EventConsumer] (t) payment-consumer-group: events are missing before order-service-0@9";
        var log = List.of(parking, missing);

        assertThat(SystemSnapshot.unexpected(
                        log, List.of(new PoisonRecord.Injected(PoisonRecord.NOT_JSON, 2, 7)), true))
                .isEmpty();
        assertThat(SystemSnapshot.unexpected(
                        log, List.of(new PoisonRecord.Injected(PoisonRecord.NOT_JSON, 2, 8)), false))
                .containsExactly(parking, missing);
    }

    @Test
    void a_death_of_its_own_is_told_from_a_kill() {
        var crash =
                "2026-11-26 09:09:25.428 UTC [1] LOG:  client backend (PID 2) was terminated by signal 11: Segmentation fault";
        var kill = "2026-11-26 09:09:25.428 UTC [1] LOG:  server process (PID 2) was terminated by signal 9: Killed";

        var memory = "Terminating due to java.lang.OutOfMemoryError: Java heap space";

        assertThat(SystemSnapshot.crashes(
                        List.of(crash, kill, "LOG:  database system is ready to accept connections", memory)))
                .containsExactly(crash, memory);
    }

    private static Arguments broken(String how, Invariant invariant, Consumer<Shop> damage) {
        return argumentSet(invariant + ": " + how, invariant, damage);
    }

    /** One order that was confirmed, one that was cancelled after it had been paid, and one bad record. */
    private static final class Shop {
        final List<Operation> operations = new ArrayList<>();
        final List<Event> topic = new ArrayList<>();
        final List<OutboxRow> outbox = new ArrayList<>();
        final Map<String, Set<UUID>> inbox = new HashMap<>();
        final List<Parked> parked = new ArrayList<>();
        final List<Order> orders = new ArrayList<>();
        final List<Key> keys = new ArrayList<>();
        final List<View> views = new ArrayList<>();
        final List<Entry> entries = new ArrayList<>();
        final List<Stock> stock = new ArrayList<>();
        final List<Reservation> reservations = new ArrayList<>();
        final List<Transfer> transfers = new ArrayList<>();
        final List<Balance> balances = new ArrayList<>();
        final List<Letter> letters = new ArrayList<>();
        final Set<String> mails = new HashSet<>();
        final List<String> rebuilt = new ArrayList<>();
        final List<SystemSnapshot.GatewayEntry> gateway = new ArrayList<>();
        final List<String> complaints = new ArrayList<>();
        final List<SystemSnapshot.Commit> commits = new ArrayList<>();
        final Set<ConsumerPosition> rewinds = new HashSet<>();
        final List<SystemSnapshot.Trace> traces = new ArrayList<>();
        final List<TimeSpan> away = new ArrayList<>();
        Duration load = Duration.ZERO;
        final List<TimeSpan> dark = new ArrayList<>();
        final Set<String> lostSlots = new HashSet<>();
        final List<String> unquiet = new ArrayList<>();

        Shop() {
            operations.add(placed("key-confirmed", Intent.CONFIRMED, Outcome.OK, "confirmed"));
            operations.add(placed("key-cancelled", Intent.CONFIRMED, Outcome.UNKNOWN, null));
            operations.add(placed("key-cancelled", Intent.CONFIRMED, Outcome.OK, "cancelled"));
            operations.add(operation(Action.CANCEL, "cancelled", null, Intent.ANY, Outcome.OK, "cancelled"));
            operations.add(operation(Action.DEPOSIT, RICH, "opening", Intent.ANY, Outcome.OK, null));
            orders.add(order("confirmed", "CONFIRMED", null, 2));
            orders.add(order("cancelled", "CANCELLED", "cancelled by the customer", 2));
            keys.add(new Key(RICH, "key-confirmed", "confirmed"));
            keys.add(new Key(RICH, "key-cancelled", "cancelled"));
            happened("confirmed", "OrderPlaced", "order-service", 1);
            happened("confirmed", "StockReserved", "inventory-service", 1);
            happened("confirmed", "PaymentCaptured", "payment-service", 1);
            happened("confirmed", "OrderConfirmed", "order-service", 2);
            happened("cancelled", "OrderPlaced", "order-service", 1);
            happened("cancelled", "StockReserved", "inventory-service", 1);
            happened("cancelled", "OrderCancelled", "order-service", 2);
            happened("cancelled", "PaymentCaptured", "payment-service", 1);
            happened("cancelled", "PaymentRefunded", "payment-service", 2);
            views.add(new View("confirmed", "CONFIRMED", null, 2, 4));
            views.add(new View("cancelled", "CANCELLED", "cancelled by the customer", 2, 5));
            stock.add(new Stock("short", 4, 0, 1));
            reservations.add(new Reservation("confirmed", "COMMITTED"));
            reservations.add(new Reservation("cancelled", "RELEASED"));
            transfers.add(new Transfer("DEPOSIT", "bank", "customer:" + RICH, 1000, null, "opening"));
            transfers.add(capture("confirmed"));
            transfers.add(capture("cancelled"));
            transfers.add(new Transfer("REFUND", "merchant", "customer:" + RICH, 100, "cancelled", null));
            balances.add(new Balance(RICH, 900));
            letters.add(new Letter("confirmed", "CONFIRMED", "SENT"));
            letters.add(new Letter("cancelled", "CANCELLED", "SENT"));
            mails.add("<confirmed.confirmed@orderly.example>");
            commits.add(commit("payment-consumer-group", 5));
            commits.add(commit("payment-consumer-group", 8));
            commits.add(commit("order-consumer-group", 8));
            commits.add(commit("order-consumer-group", 3));
            commits.add(commit("order-consumer-group", 8));
            rewinds.add(position("order-consumer-group", 3));
            commits.add(commit("order-consumer-group", 7, 2)); // sent before the rebalance
            operations.add(operation(Action.REGISTER, new TestPerson(1).mark(), "key-1", Intent.ANY, Outcome.OK, "a"));
            operations.add(operation(Action.REGISTER, new TestPerson(2).mark(), "key-2", Intent.ANY, Outcome.OK, "b"));
            operations.add(operation(Action.FORGET, new TestPerson(2).mark(), null, Intent.ANY, Outcome.OK, "b"));
            traces.add(new SystemSnapshot.Trace("table orders.customer", new TestPerson(1)));
            traces.add(new SystemSnapshot.Trace("table notifications.contact", new TestPerson(1)));
            traces.add(new SystemSnapshot.Trace("topic customer-service", new TestPerson(1)));
            traces.add(new SystemSnapshot.Trace("topic customer-service", new TestPerson(2)));
            for (var group : PoisonRecord.NOT_JSON.parkedBy()) {
                parked.add(new Parked(group, 2, 7, null, "UNREADABLE"));
            }
        }

        private void happened(String order, String type, String source, int version) {
            var event = event(0, order, type, source, version);
            topic.add(event);
            outbox.add(new OutboxRow(
                    source.equals("order-service") ? "orders" : "others", event.id(), order, type, version));
            PoisonRecord.Groups.reactingTo(type)
                    .forEach(group ->
                            inbox.computeIfAbsent(group, _ -> new HashSet<>()).add(event.id()));
            int position = 1
                    + (int) entries.stream()
                            .filter(entry -> entry.order().equals(order))
                            .count();
            entries.add(entry(order, position, type, source, version));
        }

        void decidedAfter(String order, Duration time) {
            entries.replaceAll(entry -> entry.order().equals(order)
                            && entry.type().equals("OrderConfirmed")
                    ? new Entry(order, entry.position(), entry.type(), entry.source(), entry.version(), NOW.plus(time))
                    : entry);
        }

        SystemSnapshot evidence() {
            var poison = List.of(new PoisonRecord.Injected(PoisonRecord.NOT_JSON, 2, 7));
            return new SystemSnapshot(
                    operations,
                    topic,
                    outbox,
                    inbox,
                    parked,
                    poison,
                    orders,
                    keys,
                    views,
                    entries,
                    stock,
                    reservations,
                    transfers,
                    balances,
                    letters,
                    mails,
                    rebuilt,
                    gateway,
                    complaints,
                    commits,
                    rewinds,
                    traces,
                    Duration.ofSeconds(30),
                    new TimeSpan(NOW, NOW.plus(load)),
                    away,
                    dark,
                    lostSlots,
                    unquiet);
        }
    }

    private static Operation acceptedAfter(Action action, long seconds) {
        var then = NOW.plusSeconds(seconds);
        return new Operation(9, action, RICH, "key-confirmed", Intent.ANY, 1, NOW, then, Outcome.OK, 200, "confirmed");
    }

    private static Operation placed(String key, Intent intent, Outcome outcome, String order) {
        return operation(Action.PLACE, RICH, key, intent, outcome, order);
    }

    private static Operation operation(
            Action action, String subject, String key, Intent intent, Outcome outcome, String order) {
        return new Operation(0, action, subject, key, intent, 1000, NOW, NOW, outcome, 0, order);
    }

    private static Order order(String id, String status, String reason, int version) {
        return new Order(id, RICH, status, reason, 100, version, Map.of("short", 1L), NOW);
    }

    private static Event event(int partition, String order, String type, String source, int version) {
        var id = UUID.nameUUIDFromBytes((order + type).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return new Event(partition, 0, order, id, type, source, version);
    }

    private static Entry entry(String order, int position, String type, String source, int version) {
        return new Entry(order, position, type, source, version, NOW);
    }

    private static SystemSnapshot.Commit commit(String group, long offset) {
        return commit(group, offset, 1);
    }

    private static SystemSnapshot.Commit commit(String group, long offset, int generation) {
        return new SystemSnapshot.Commit(position(group, offset), generation);
    }

    private static ConsumerPosition position(String group, long offset) {
        return new ConsumerPosition(group, new TopicPartition("order-service", 0), offset);
    }

    private static Transfer capture(String order) {
        return new Transfer("CAPTURE", "customer:" + RICH, "merchant", 100, order, null);
    }
}
