package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.summingLong;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toMap;

import dev.orderly.lab.chaos.check.SystemSnapshot.OrderRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.ReservationRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.RestockRow;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether no item appeared or vanished, and reservations ended as their orders did. */
final class StockChecks {
    private StockChecks() {}

    static List<String> conserved(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var taken = snapshot.orders().rows().stream()
                .filter(OrderRow::confirmed)
                .flatMap(order -> order.lines().entrySet().stream())
                .collect(groupingBy(Map.Entry::getKey, summingLong(Map.Entry::getValue)));
        for (var stock : snapshot.inventory().stock()) {
            if (stock.available() < 0 || stock.reserved() < 0 || stock.sold() < 0) {
                violations.add("negative: " + stock);
            }
            if (stock.sold() != taken.getOrDefault(stock.sku(), 0L)) {
                violations.add(stock + ", but confirmed orders took " + taken.getOrDefault(stock.sku(), 0L));
            }
            var initial = Workload.FIXED_STOCK.get(stock.sku());
            if (initial != null && stock.available() + stock.reserved() + stock.sold() != initial) {
                violations.add(stock + ", but there were " + initial);
            }
        }
        return violations;
    }

    static List<String> restocks(SystemSnapshot snapshot) {
        return snapshot.client()
                .madeOtherwise(
                        Action.RESTOCK,
                        snapshot.inventory().restocks().stream()
                                .collect(groupingBy(
                                        restock -> restock.sku() + ' ' + restock.key(),
                                        mapping(RestockRow::quantity, toList()))));
    }

    static List<String> reservations(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var statuses = snapshot.inventory().reservations().stream()
                .collect(toMap(ReservationRow::order, ReservationRow::status));
        for (var order : snapshot.orders().rows()) {
            var status = statuses.remove(order.id());
            boolean right = switch (order.status()) {
                case "CONFIRMED" -> "COMMITTED".equals(status);
                case "REJECTED", "CANCELLED" -> "RELEASED".equals(status) || "REJECTED".equals(status);
                default -> true; // for I06 to say
            };
            if (!right) {
                violations.add("order " + order.id() + " is " + order.status() + ", its reservation " + status);
            }
        }
        statuses.keySet().forEach(order -> violations.add("reserved for order " + order + ", which does not exist"));
        snapshot.inventory().stock().stream()
                .filter(stock -> stock.reserved() != 0)
                .forEach(stock -> violations.add("still reserved: " + stock));
        return violations;
    }
}
