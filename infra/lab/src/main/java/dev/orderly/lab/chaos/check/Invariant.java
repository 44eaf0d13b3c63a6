package dev.orderly.lab.chaos.check;

import java.util.List;

/** A promise of the system, and the checks that find where a {@link SystemSnapshot} breaks it. */
public enum Invariant {
    I01_ACKNOWLEDGED_ORDERS_EXIST(
            "an order that was accepted exists, one per idempotency key; one that was refused does not",
            OrderChecks::acknowledged),
    I02_MONEY_IS_CONSERVED(
            "each balance is the sum of its transfers; the merchant has what confirmed orders cost",
            MoneyChecks::conserved),
    I03_PAID_EXACTLY_ONCE(
            "a confirmed order is captured once, from the customer who placed it; a cancelled one is refunded to them",
            MoneyChecks::paidOnce,
            MoneyChecks::paidByTheirCustomers),
    I04_STOCK_IS_CONSERVED(
            "available + reserved + sold is what was there; sold is what confirmed orders took",
            StockChecks::conserved),
    I05_RESERVATIONS_ARE_RESOLVED(
            "every reservation is committed or released, as its order ended", StockChecks::reservations),
    I06_ORDERS_END("every order is confirmed, rejected or cancelled", LivenessChecks::ordersEnd),
    I07_TRANSITIONS_ARE_LEGAL("on the topic, every event follows from one before it", TopicChecks::transitions),
    I08_OUTBOX_IS_PUBLISHED("each outbox row is on the topic, and nothing else is", TopicChecks::published),
    I09_EVENTS_ARE_IN_ORDER(
            "an order has one partition, and per source versions 1, 2, 3 … at first sight", TopicChecks::inOrder),
    I10_EVENTS_ARE_SEEN("each consumer group has seen each of its events", TopicChecks::seen),
    I11_VIEW_IS_THE_FOLD("the read model is the fold of the topic, and equals the write model", ViewChecks::fold),
    I12_OFFSETS_NEVER_GO_BACK(
            "committed offsets never go back, except by a poll across a rebalance and where the nemesis reset them",
            TopicChecks::offsets),
    I13_PARKED_IS_THE_POISON("parked is the injected poison: no more, no less", TopicChecks::parked),
    I14_ORDERS_ARE_DECIDED_IN_TIME(
            "orders expire at the deadline, not before, and none is undecided for 30 s more, unless order-service was"
                    + " down",
            LivenessChecks::ordersAreDecidedInTime),
    I15_CARDS_ARE_CHARGED_ONCE(
            "by the gateway's own journal a card is captured once and refunded when cancelled, as in our ledger;"
                    + " no forged callback is accepted",
            MoneyChecks::cards),
    I16_SOMETHING_ALWAYS_WORKS(
            "never 240 s without an accepted order, except in a power cut; at rest by the deadline, and then one more"
                    + " order is confirmed",
            LivenessChecks::quiescent,
            LivenessChecks::ordersAreAlwaysAccepted,
            LivenessChecks::lastOrderIsConfirmed),
    I17_DEPOSITS_AND_CANCELLATIONS_LAST(
            "an accepted deposit or restock is there once; an order whose cancellation was accepted is cancelled, and"
                    + " no other is",
            MoneyChecks::deposits,
            StockChecks::restocks,
            OrderChecks::cancellations),
    I18_NOTHING_UNEXPECTED_IS_LOGGED(
            "no error is logged but those that the faults explain",
            snapshot -> snapshot.observations().unexpectedErrors()),
    I19_PERSONAL_DATA_IS_CONFINED(
            "personal data is in the tables and the topic meant for it and nowhere else; of an erased customer, in no"
                    + " table",
            PrivacyChecks::confined,
            PrivacyChecks::registered),
    I20_A_REBUILD_CHANGES_NOTHING(
            "the read model rebuilt from the topic is the same",
            snapshot -> snapshot.observations().viewDifferences()),
    L01_OUTCOMES_ARE_RIGHT("enough stock and money: confirmed; not enough: rejected", OrderChecks::outcomes),
    L02_MESSAGES_ARE_SENT(
            "one message per ended order, of its kind, sent; copies under the same id", OrderChecks::messages),
    L03_EFFECTS_ARE_ONCE_AND_IN_ORDER(
            "every event of an order took effect once, in the order of the topic", ViewChecks::effects);

    private final String promise;
    private final List<Check> checks;

    /** A function of the snapshot alone, so that it can be tested with one made by hand. */
    private interface Check {
        List<String> violations(SystemSnapshot snapshot);
    }

    Invariant(String promise, Check... checks) {
        this.promise = promise;
        this.checks = List.of(checks);
    }

    public String promise() {
        return promise;
    }

    /** One line for each place where the promise was broken. */
    public List<String> violations(SystemSnapshot snapshot) {
        return checks.stream()
                .flatMap(check -> check.violations(snapshot).stream())
                .toList();
    }
}
