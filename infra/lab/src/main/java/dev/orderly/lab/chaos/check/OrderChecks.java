package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toSet;

import dev.orderly.lab.chaos.check.SystemSnapshot.MessageRow;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/** Whether orders became what customers asked for and were answered, and were notified of. */
final class OrderChecks {
    private OrderChecks() {}

    static List<String> acknowledged(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var orders = snapshot.orders().byId();
        var orderByKey = new HashMap<String, String>();
        for (var key : snapshot.orders().keys()) {
            orderByKey.put(key.customer() + ' ' + key.key(), key.order());
            if (!orders.containsKey(key.order())) {
                violations.add("key " + key.key() + " belongs to order " + key.order() + ", which does not exist");
            }
        }
        var placements = snapshot.client().placements();
        placements.forEach((key, attempts) -> {
            var id = orderByKey.get(key);
            for (var attempt : attempts) {
                if (attempt.outcome() == Outcome.OK && !attempt.order().equals(id)) {
                    violations.add("order " + attempt.order() + " was accepted under " + key + ", which has " + id);
                }
            }
            var order = orders.get(String.valueOf(id));
            if (order != null && !order.customer().equals(attempts.getFirst().subject())) {
                violations.add("order " + id + " was placed under " + key + ", but belongs to " + order.customer());
            }
            if (id != null && attempts.stream().allMatch(attempt -> attempt.outcome() == Outcome.FAIL)) {
                violations.add("order " + id + " exists, although it was refused");
            }
        });
        orderByKey.keySet().stream()
                .filter(key -> !placements.containsKey(key))
                .forEach(key -> violations.add("no client placed the order of " + key));
        if (new HashSet<>(orderByKey.values()).size() != orders.size()) {
            violations.add(orders.size() + " orders, but " + orderByKey.size() + " keys");
        }
        return violations;
    }

    static List<String> cancellations(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var orders = snapshot.orders().byId();
        for (var id : snapshot.client().acknowledged(Action.CANCEL)) {
            var status = orders.containsKey(id) ? orders.get(id).status() : "missing";
            if (!status.equals("CANCELLED")) {
                violations.add("the cancellation of order " + id + " was accepted, but it is " + status);
            }
        }
        var perhapsCancelled = snapshot.client().of(Action.CANCEL).stream()
                .filter(attempt -> attempt.outcome() != Outcome.FAIL)
                .map(Operation::subject)
                .collect(toSet());
        orders.values().stream()
                .filter(order -> order.cancelled() && !order.expired() && !perhapsCancelled.contains(order.id()))
                .forEach(order -> violations.add("no client cancelled order " + order.id() + ": " + order.reason()));
        return violations;
    }

    static List<String> outcomes(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var orders = snapshot.orders().byId();
        for (var attempts : snapshot.client().placements().values()) {
            attempts.stream()
                    .filter(attempt -> attempt.outcome() == Outcome.OK && attempt.intent() != Intent.ANY)
                    .findFirst()
                    .ifPresent(attempt -> {
                        var order = orders.get(attempt.order());
                        // Whether it may be cancelled is for I14 and I17 to say.
                        if (order != null
                                && order.terminal()
                                && !order.cancelled()
                                && !order.status().equals(attempt.intent().name())) {
                            violations.add("order %s should be %s, but is %s: %s"
                                    .formatted(order.id(), attempt.intent(), order.status(), order.reason()));
                        }
                    });
        }
        return violations;
    }

    static List<String> messages(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var orders = snapshot.orders().byId();
        var messages = snapshot.notifications().messages();
        // Whether a customer can still be written to is not checked here.
        var byOrder = messages.stream().filter(MessageRow::aboutAnOrder).collect(groupingBy(MessageRow::about));
        byOrder.forEach((id, ofOrder) -> {
            var status = orders.containsKey(id) ? orders.get(id).status() : "missing";
            for (var message : ofOrder) {
                if (!status.equals(message.kind())) {
                    violations.add(message + ", but the order is " + status);
                } else if (!message.sent()) {
                    violations.add("not sent: " + message);
                }
            }
        });
        orders.values().stream()
                .filter(order -> order.terminal()
                        && byOrder.getOrDefault(order.id(), List.of()).size() != 1)
                .forEach(order ->
                        violations.add("order " + order.id() + " should have one message: " + byOrder.get(order.id())));
        var ids = messages.stream()
                .map(message -> "<" + message.about() + "." + message.kind().toLowerCase(Locale.ROOT))
                .collect(toSet());
        snapshot.notifications().mails().stream()
                .filter(id -> !ids.contains(id.substring(0, Math.max(0, id.indexOf('@')))))
                .forEach(id -> violations.add("a mail of no message: " + id));
        return violations;
    }
}
