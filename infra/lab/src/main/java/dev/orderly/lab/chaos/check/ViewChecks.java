package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;

import dev.orderly.lab.chaos.check.SystemSnapshot.TopicEvent;
import dev.orderly.lab.chaos.check.SystemSnapshot.ViewEventRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ViewRow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/** Whether the read model shows what the topic and the write model say. */
final class ViewChecks {
    private ViewChecks() {}

    static List<String> fold(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var views = snapshot.orders().views().stream().collect(toMap(ViewRow::order, Function.identity()));
        var events = snapshot.kafka().firstOccurrences();
        for (var order : snapshot.orders().rows()) {
            var view = views.remove(order.id());
            var fold = fold(events.getOrDefault(order.id(), List.of()));
            if (view == null) {
                violations.add("order " + order.id() + " is not in the view");
            } else if (!view.status().equals(order.status())
                    || !Objects.equals(view.reason(), order.reason())
                    || view.version() != order.version()) {
                violations.add(order + " is shown as " + view);
            } else if (!view.status().equals(fold.status())
                    || view.version() != fold.version()
                    || view.events() != fold.events()) {
                violations.add(fold + " by its events, shown as " + view);
            }
        }
        views.values().forEach(view -> violations.add("shown, but does not exist: " + view));
        return violations;
    }

    private static ViewRow fold(List<TopicEvent> events) {
        String status = null;
        int version = 0;
        for (var event : events) {
            version = event.source().equals("order-service") ? Math.max(version, event.version()) : version;
            status = switch (event.type()) {
                case "OrderConfirmed" -> "CONFIRMED";
                case "OrderRejected" -> "REJECTED";
                case "OrderCancelled" -> "CANCELLED";
                default -> status;
            };
        }
        return new ViewRow(null, status, null, version, events.size());
    }

    static List<String> effects(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var rows = snapshot.orders().viewEvents().stream().collect(groupingBy(ViewEventRow::order));
        var repaired = snapshot.repairedOrders();
        snapshot.kafka().firstOccurrences().forEach((order, events) -> {
            var applied = rows.getOrDefault(order, List.of());
            var effects = applied.stream()
                    .map(row -> row.source() + ' ' + row.version() + ' ' + row.type())
                    .toList();
            var published = events.stream()
                    .map(event -> event.source() + ' ' + event.version() + ' ' + event.type())
                    .toList();
            // If the topic itself was out of order, what counts is the order of versions within each source.
            boolean right = repaired.contains(order)
                    ? sorted(effects).equals(sorted(published)) && inVersionOrder(applied)
                    : effects.equals(published);
            if (!right) {
                violations.add("order " + order + ": " + published + " took effect as " + effects);
            }
        });
        return violations;
    }

    private static List<String> sorted(List<String> list) {
        return list.stream().sorted().toList();
    }

    private static boolean inVersionOrder(List<ViewEventRow> rows) {
        var last = new HashMap<String, Integer>();
        return rows.stream().allMatch(row -> last.merge(row.source(), 1, Integer::sum) == row.version());
    }
}
