package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toSet;

import dev.orderly.lab.chaos.check.SystemSnapshot.OffsetCommit;
import dev.orderly.lab.chaos.check.SystemSnapshot.OutboxRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.TopicEvent;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether every event reached the topic in order, and every consumer group that reacts to it. */
final class TopicChecks {
    /** {@code max.poll.records} of the services. */
    private static final int MAX_POLL_RECORDS = 500;

    private TopicChecks() {}

    static List<String> transitions(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var repaired = snapshot.repairedOrders();
        snapshot.kafka().firstOccurrences().forEach((order, events) -> {
            var before = new HashSet<String>();
            for (var event : repaired.contains(order) ? List.<TopicEvent>of() : events) {
                if (before.contains(event.type()) || !mayFollow(event.type(), before)) {
                    violations.add("order " + order + ": " + event.type() + " after " + before);
                }
                before.add(event.type());
            }
        });
        return violations;
    }

    private static boolean mayFollow(String type, Set<String> before) {
        boolean open = Collections.disjoint(before, Set.of("OrderConfirmed", "OrderRejected", "OrderCancelled"));
        return switch (type) {
            case "OrderPlaced" -> before.isEmpty();
            case "StockReserved", "StockRejected" ->
                before.contains("OrderPlaced")
                        && Collections.disjoint(before, Set.of("StockReserved", "StockRejected"));
            case "PaymentCaptured", "PaymentDeclined" ->
                before.contains("StockReserved")
                        && Collections.disjoint(before, Set.of("PaymentCaptured", "PaymentDeclined"));
            case "OrderConfirmed" -> open && before.contains("PaymentCaptured");
            case "OrderRejected" -> open && (before.contains("StockRejected") || before.contains("PaymentDeclined"));
            case "OrderCancelled" -> open && before.contains("OrderPlaced");
            case "PaymentRefunded" -> before.containsAll(Set.of("PaymentCaptured", "OrderCancelled"));
            default -> false;
        };
    }

    static List<String> published(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var published = snapshot.kafka().events().stream().map(TopicEvent::id).collect(toSet());
        var written = snapshot.messaging().outbox().stream().map(OutboxRow::id).collect(toSet());
        snapshot.messaging().outbox().stream()
                .filter(row -> !published.contains(row.id()))
                .forEach(row -> violations.add("never published: " + row));
        snapshot.kafka().events().stream()
                .filter(event -> !written.contains(event.id()))
                .forEach(event -> violations.add("in no outbox: " + event));
        snapshot.messaging()
                .republished()
                .filter(row -> !snapshot.disturbances().lostSlots().contains(row.database()))
                .forEach(row -> violations.add("lost by the relay although it had its slot, and republished: " + row));
        return violations;
    }

    static List<String> inOrder(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        snapshot.kafka().events().stream()
                .collect(groupingBy(TopicEvent::order, mapping(TopicEvent::partition, toSet())))
                .forEach((order, partitions) -> {
                    if (partitions.size() > 1) {
                        violations.add("order " + order + " is in partitions " + partitions);
                    }
                });
        var repaired = snapshot.repairedOrders();
        snapshot.kafka().firstOccurrences().forEach((order, events) -> {
            var versions = new HashMap<String, Integer>();
            for (var event : repaired.contains(order) ? List.<TopicEvent>of() : events) {
                int expected = versions.merge(event.source(), 1, Integer::sum);
                if (event.version() != expected) {
                    violations.add("order %s: version %d of %s where %d was next"
                            .formatted(order, event.version(), event.source(), expected));
                }
            }
        });
        return violations;
    }

    static List<String> seen(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        for (var events : snapshot.kafka().firstOccurrences().values()) {
            for (var event : events) {
                for (var group : PoisonRecord.Groups.reactingTo(event.type())) {
                    if (!snapshot.messaging()
                            .inbox()
                            .getOrDefault(group, Set.of())
                            .contains(event.id())) {
                        violations.add(group + " has not seen " + event);
                    }
                }
            }
        }
        return violations;
    }

    static List<String> parked(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var expected = new HashSet<String>();
        for (var poison : snapshot.kafka().poison()) {
            for (var group : poison.kind().parkedBy()) {
                expected.add("%s %d/%d".formatted(group, poison.partition(), poison.offset()));
            }
        }
        for (var parked : snapshot.messaging().parked()) {
            if (!expected.remove("%s %d/%d".formatted(parked.consumer(), parked.partition(), parked.offset()))) {
                violations.add("parked, but not poison: " + parked);
            }
        }
        expected.forEach(missing -> violations.add("poison that is not parked: " + missing));
        return violations;
    }

    static List<String> offsets(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var last = new HashMap<String, OffsetCommit>();
        for (var commit : snapshot.kafka().commits()) {
            var position = commit.position();
            var before = last.put(position.group() + ' ' + position.partition(), commit);
            if (before != null
                    && position.offset() < before.position().offset()
                    && !snapshot.disturbances().rewinds().contains(position)
                    && !isFromBeforeTheRebalance(commit, before)) {
                violations.add(position + " after " + before.position().offset());
            }
        }
        return violations;
    }

    /**
     * A member may send a commit that it decided on before a rebalance as the first one after it: SmallRye
     * leaves it waiting for the polling thread, which is busy with the rebalance. What was consumed in
     * between is repeated, as duplicates.
     */
    private static boolean isFromBeforeTheRebalance(OffsetCommit commit, OffsetCommit before) {
        return commit.generation() != before.generation()
                && before.position().offset() - commit.position().offset() <= MAX_POLL_RECORDS;
    }
}
