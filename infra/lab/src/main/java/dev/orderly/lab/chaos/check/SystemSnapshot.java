package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.orderly.lab.chaos.fault.Disturbances;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.lab.chaos.workload.TestPerson;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Everything there is to see once the system is quiescent: what the client was answered, every row of every
 * database, every record of the topic from its beginning, and what scans of the running system found. Checks
 * are functions of this alone.
 */
public record SystemSnapshot(
        ClientHistory client,
        KafkaLog kafka,
        Messaging messaging,
        Orders orders,
        Inventory inventory,
        Payments payments,
        Notifications notifications,
        Observations observations,
        Disturbances disturbances) {

    private static final Set<String> TERMINAL = Set.of("CONFIRMED", "REJECTED", "CANCELLED");

    /**
     * @param load from the first operation to the last, without the order that is placed after all recovered
     */
    public record ClientHistory(List<Operation> operations, TimeSpan load) {
        List<Operation> of(Action action) {
            return operations.stream()
                    .filter(operation -> operation.action() == action)
                    .toList();
        }

        Set<String> acknowledged(Action action) {
            return of(action).stream()
                    .filter(operation -> operation.outcome() == Outcome.OK)
                    .map(Operation::subject)
                    .collect(toSet());
        }

        /** The attempts to place each order, by customer and idempotency key. */
        Map<String, List<Operation>> placements() {
            return attempts(Action.PLACE);
        }

        private Map<String, List<Operation>> attempts(Action action) {
            return of(action).stream().collect(groupingBy(operation -> operation.subject() + ' ' + operation.key()));
        }

        /**
         * What was accepted and not made once, as asked; and what was made though it was refused.
         *
         * @param made amounts, by subject and idempotency key
         */
        List<String> madeOtherwise(Action action, Map<String, List<Long>> made) {
            var violations = new ArrayList<String>();
            attempts(action).forEach((key, attempts) -> {
                var amounts = made.getOrDefault(key, List.of());
                boolean accepted = attempts.stream().anyMatch(attempt -> attempt.outcome() == Outcome.OK);
                boolean refused = attempts.stream().allMatch(attempt -> attempt.outcome() == Outcome.FAIL);
                var asked = List.of(attempts.getFirst().amount());
                if (!amounts.equals(asked) && !(amounts.isEmpty() && !accepted) || refused && !amounts.isEmpty()) {
                    violations.add("%s %s of %s was made as %s".formatted(action, key, asked, amounts));
                }
            });
            return violations;
        }
    }

    /** @param commits how far the groups said they had read, in the order of Kafka's own log of it */
    public record KafkaLog(List<TopicEvent> events, List<PoisonRecord.Injected> poison, List<OffsetCommit> commits) {
        /** By order; the topic as a reader sees it that drops duplicates. */
        Map<String, List<TopicEvent>> firstOccurrences() {
            var seen = new HashSet<UUID>();
            var byOrder = new LinkedHashMap<String, List<TopicEvent>>();
            for (var event : events) {
                if (seen.add(event.id())) {
                    byOrder.computeIfAbsent(event.order(), _ -> new ArrayList<>())
                            .add(event);
                }
            }
            return byOrder;
        }
    }

    /** A record of the topic that is not poison, in the order of its partition. */
    public record TopicEvent(
            int partition, long offset, String order, UUID id, String type, String source, int version) {}

    /** @param generation of the group at the time of the commit: each rebalance begins another */
    record OffsetCommit(Disturbances.ConsumerPosition position, int generation) {}

    /** @param inbox the events that each consumer group has applied */
    record Messaging(List<OutboxRow> outbox, Map<String, Set<UUID>> inbox, List<ParkedRow> parked) {
        /** Only the auditor writes an event a second time. */
        Stream<OutboxRow> republished() {
            var ids = new HashSet<UUID>();
            return outbox.stream().filter(row -> !ids.add(row.id()));
        }
    }

    record OutboxRow(String database, UUID id, String order, String type, int version) {}

    record ParkedRow(String consumer, int partition, long offset, String key, String reason) {}

    /** @param deadline for an order to be decided */
    public record Orders(
            List<OrderRow> rows,
            List<KeyRow> keys,
            List<ViewRow> views,
            List<ViewEventRow> viewEvents,
            Duration deadline) {
        public Map<String, OrderRow> byId() {
            return rows.stream().collect(toMap(OrderRow::id, Function.identity()));
        }
    }

    public record OrderRow(
            String id,
            String customer,
            String status,
            String reason,
            long total,
            int version,
            Map<String, Long> lines,
            Instant placedAt) {
        boolean terminal() {
            return TERMINAL.contains(status);
        }

        boolean confirmed() {
            return status.equals("CONFIRMED");
        }

        boolean cancelled() {
            return status.equals("CANCELLED");
        }

        /** Whether it was cancelled because it was not decided by its deadline. */
        public boolean expired() {
            return "not decided in time".equals(reason);
        }
    }

    record KeyRow(String customer, String key, String order) {}

    record ViewRow(String order, String status, String reason, int version, int events) {}

    public record ViewEventRow(
            String order, int position, String type, String source, int version, Instant occurredAt) {}

    record Inventory(List<StockRow> stock, List<ReservationRow> reservations, List<RestockRow> restocks) {}

    record StockRow(String sku, long available, long reserved, long sold) {}

    record ReservationRow(String order, String status) {}

    record RestockRow(String sku, String key, long quantity) {}

    /** @param gatewayJournal the payment gateway's own log of what it did */
    public record Payments(List<TransferRow> transfers, List<BalanceRow> balances, List<JournalEntry> gatewayJournal) {}

    public record TransferRow(String kind, String from, String to, long amount, String order, String key) {}

    record BalanceRow(String customer, long amount) {}

    /**
     * @param what payment.succeeded, payment.refunded …; "acceptedForgery" if a forged callback was
     *     acknowledged
     */
    record JournalEntry(String order, String what) {}

    /** @param mails the Message-IDs in the mail sink */
    public record Notifications(List<MessageRow> messages, Set<String> mails) {}

    /** @param about an order, or a customer or one of their codes */
    public record MessageRow(String about, String kind, String state) {
        boolean aboutAnOrder() {
            return TERMINAL.contains(kind);
        }

        public boolean sent() {
            return state.equals("SENT");
        }
    }

    /**
     * What was seen by sampling and searching the running system.
     *
     * @param viewDifferences orders of which a read model rebuilt from the topic said something else than the
     *     live one
     * @param unexpectedErrors lines of logs that no fault explains
     * @param personalData of the customers who registered
     * @param outages of order-service, which has to keep to the deadline of orders: from ready to ready
     * @param pendingWork what was not done by the deadline of the run; empty when the system was quiescent
     */
    record Observations(
            List<String> viewDifferences,
            List<String> unexpectedErrors,
            List<PersonalDataFinding> personalData,
            List<TimeSpan> outages,
            List<String> pendingWork) {}

    /**
     * @param place where a name, address or number was found: "table orders.customer", "topic …", "log of …"
     */
    record PersonalDataFinding(String place, TestPerson person) {}

    /**
     * Orders with an event that was republished because it had been lost with a slot: on the topic it comes
     * late, after its successors. That it took effect in its place all the same is for L03 to say.
     */
    Set<String> repairedOrders() {
        return messaging
                .republished()
                .filter(row -> disturbances.lostSlots().contains(row.database()))
                .map(OutboxRow::order)
                .collect(toSet());
    }
}
