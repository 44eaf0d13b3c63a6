package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toMap;

import dev.orderly.lab.chaos.check.SystemSnapshot.BalanceRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.JournalEntry;
import dev.orderly.lab.chaos.check.SystemSnapshot.OrderRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.TransferRow;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/** Whether the ledger adds up, agrees with orders and deposits, and with the gateway's own journal. */
final class MoneyChecks {
    private static final String GATEWAY = "gateway";
    private static final String CUSTOMER = "customer:";

    private MoneyChecks() {}

    static List<String> conserved(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var sums = new HashMap<String, Long>();
        for (var transfer : snapshot.payments().transfers()) {
            sums.merge(transfer.from(), -transfer.amount(), Long::sum);
            sums.merge(transfer.to(), transfer.amount(), Long::sum);
        }
        var balances = snapshot.payments().balances().stream()
                .collect(toMap(balance -> CUSTOMER + balance.customer(), BalanceRow::amount));
        var accounts = new HashSet<>(balances.keySet());
        sums.keySet().stream().filter(account -> account.startsWith(CUSTOMER)).forEach(accounts::add);
        for (var account : accounts) {
            long balance = balances.getOrDefault(account, 0L);
            long sum = sums.getOrDefault(account, 0L);
            if (balance != sum || sum < 0) {
                violations.add(account + " has " + balance + ", by its transfers " + sum);
            }
        }
        long due = snapshot.orders().rows().stream()
                .filter(OrderRow::confirmed)
                .mapToLong(OrderRow::total)
                .sum();
        long merchant = sums.getOrDefault("merchant", 0L);
        if (merchant != due) {
            violations.add("the merchant has " + merchant + " for confirmed orders of " + due);
        }
        return violations;
    }

    static List<String> paidOnce(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var captures = amounts(snapshot, "CAPTURE", transfer -> String.valueOf(transfer.order()));
        var refunds = amounts(snapshot, "REFUND", transfer -> String.valueOf(transfer.order()));
        for (var order : snapshot.orders().rows()) {
            var captured = captures.getOrDefault(order.id(), List.of());
            var refunded = refunds.getOrDefault(order.id(), List.of());
            var total = List.of(order.total());
            boolean right = switch (order.status()) {
                case "CONFIRMED" -> captured.equals(total) && refunded.isEmpty();
                case "CANCELLED" -> captured.equals(refunded) && (captured.isEmpty() || captured.equals(total));
                default -> captured.isEmpty() && refunded.isEmpty();
            };
            if (!right) {
                violations.add("order %s of %d is %s: captured %s, refunded %s"
                        .formatted(order.id(), order.total(), order.status(), captured, refunded));
            }
        }
        return violations;
    }

    static List<String> paidByTheirCustomers(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var orders = snapshot.orders().byId();
        var payers = new HashMap<String, String>();
        for (var transfer : snapshot.payments().transfers()) {
            boolean capture = transfer.kind().equals("CAPTURE");
            if (!capture && !transfer.kind().equals("REFUND")) {
                continue;
            }
            var payer = capture ? transfer.from() : transfer.to();
            var order = orders.get(transfer.order());
            var before = payers.putIfAbsent(transfer.order(), payer);
            if (capture && order == null) {
                violations.add("captured for order " + transfer.order() + ", which does not exist");
            } else if (before != null && !before.equals(payer)
                    || order != null
                            && !Set.of(GATEWAY, CUSTOMER + order.customer()).contains(payer)) {
                violations.add("not with the customer who placed the order: " + transfer);
            }
        }
        return violations;
    }

    static List<String> deposits(SystemSnapshot snapshot) {
        return snapshot.client()
                .madeOtherwise(
                        Action.DEPOSIT,
                        amounts(
                                snapshot,
                                "DEPOSIT",
                                transfer -> transfer.to().replaceFirst("^" + CUSTOMER, "") + ' ' + transfer.key()));
    }

    static List<String> cards(SystemSnapshot snapshot) {
        var violations = new ArrayList<String>();
        var captures = journal(snapshot, "payment.succeeded");
        var refunds = journal(snapshot, "payment.refunded");
        var ledgerCaptures = transfers(snapshot, transfer -> transfer.from().equals(GATEWAY));
        var ledgerRefunds = transfers(snapshot, transfer -> transfer.to().equals(GATEWAY));
        var payments = new HashSet<>(captures.keySet());
        payments.addAll(refunds.keySet());
        payments.addAll(ledgerCaptures.keySet());
        var orders = snapshot.orders().byId();
        for (String payment : payments) {
            long captured = captures.getOrDefault(payment, 0L);
            long refunded = refunds.getOrDefault(payment, 0L);
            long charged = ledgerCaptures.getOrDefault(payment, 0L);
            long returned = ledgerRefunds.getOrDefault(payment, 0L);
            if (captured > 1 || captured != charged || refunded != returned) {
                violations.add("order %s: the gateway captured %d and refunded %d, by the ledger %d and %d"
                        .formatted(payment, captured, refunded, charged, returned));
            }
            var order = orders.get(payment);
            if (order == null || captured - refunded != (order.confirmed() ? 1 : 0)) {
                violations.add("order %s is %s, and the gateway captured %d and refunded %d"
                        .formatted(payment, order == null ? "missing" : order.status(), captured, refunded));
            }
        }
        journal(snapshot, "acceptedForgery")
                .keySet()
                .forEach(payment -> violations.add("a forged callback was accepted for " + payment));
        return violations;
    }

    private static Map<String, Long> journal(SystemSnapshot snapshot, String what) {
        return snapshot.payments().gatewayJournal().stream()
                .filter(entry -> entry.what().equals(what))
                .collect(groupingBy(JournalEntry::order, counting()));
    }

    private static Map<String, Long> transfers(SystemSnapshot snapshot, Predicate<TransferRow> which) {
        return snapshot.payments().transfers().stream()
                .filter(which)
                .collect(groupingBy(transfer -> String.valueOf(transfer.order()), counting()));
    }

    private static Map<String, List<Long>> amounts(
            SystemSnapshot snapshot, String kind, Function<TransferRow, String> key) {
        return snapshot.payments().transfers().stream()
                .filter(transfer -> transfer.kind().equals(kind))
                .collect(groupingBy(key, mapping(TransferRow::amount, toList())));
    }
}
