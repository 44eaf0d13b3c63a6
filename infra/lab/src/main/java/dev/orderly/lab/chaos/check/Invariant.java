package dev.orderly.lab.chaos.check;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.summingLong;
import static java.util.stream.Collectors.toList;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import dev.orderly.lab.chaos.check.SystemSnapshot.Event;
import dev.orderly.lab.chaos.check.SystemSnapshot.Order;
import dev.orderly.lab.chaos.fault.PoisonRecord;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory.Action;
import dev.orderly.lab.chaos.workload.OperationHistory.Intent;
import dev.orderly.lab.chaos.workload.OperationHistory.Operation;
import dev.orderly.lab.chaos.workload.OperationHistory.Outcome;
import dev.orderly.lab.chaos.workload.Workload;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A promise, and the function that finds where it was not kept: of the {@link SystemSnapshot} alone, so that it can be tried on
 * hand-made evidence. The numbers are those of {@code docs/faults.md}.
 */
public enum Invariant {
    I01_ACKNOWLEDGED_ORDERS_EXIST(
            "an order that was accepted is there, one per key; one that was refused is not", Invariant::acknowledged),
    I02_MONEY_IS_CONSERVED(
            "each balance is the sum of its transfers, the merchant has what confirmed orders cost", Invariant::money),
    I03_PAID_EXACTLY_ONCE(
            "a confirmed order is captured once, from who placed it; a cancelled one is refunded to them",
            Invariant::payment),
    I04_STOCK_IS_CONSERVED(
            "available + reserved + sold is what was there; sold is what confirmed orders took", Invariant::stock),
    I05_RESERVATIONS_ARE_RESOLVED("each is sold or given back, as its order ended", Invariant::reservations),
    I06_ORDERS_END("every order is confirmed, rejected or cancelled", Invariant::ended),
    I07_TRANSITIONS_ARE_LEGAL("on the topic, every event follows from one before it", Invariant::transitions),
    I08_OUTBOX_IS_PUBLISHED("each outbox row is on the topic, and nothing else is", Invariant::published),
    I09_ORDER_IS_KEPT("per order one partition; per source versions 1, 2, 3 … at first sight", Invariant::inOrder),
    I10_EVENTS_ARE_SEEN("each group has seen each of its events", Invariant::seen),
    I11_VIEW_IS_THE_FOLD("read model = fold of the topic = write model", Invariant::view),
    I12_OFFSETS_NEVER_GO_BACK(
            "how far a group has read, by Kafka's log of it, is never less than before, but by a poll across a rebalance, and"
                    + " where the lab set it back",
            Invariant::offsets),
    I13_PARKED_IS_THE_POISON("parked is the injected poison: no more, no less", Invariant::parked),
    I14_ORDERS_ARE_DECIDED_IN_TIME(
            "cancelled for lateness at the deadline, not before; never undecided for 30 s more, unless nobody was there",
            Invariant::inTime),
    I15_CARDS_ARE_CHARGED_ONCE(
            "by the gateway's own log: captured once, refunded when cancelled, as in our ledger; no forgery believed",
            Invariant::cards),
    I16_SOMETHING_ALWAYS_WORKS(
            "never 240 s without an order that is accepted, but in a power cut; at rest by the deadline, and then one is confirmed",
            Invariant::alive),
    I17_DEPOSITS_AND_CANCELLATIONS_LAST(
            "a deposit that was accepted is there once; an order whose cancellation was is cancelled, and no other",
            Invariant::depositsAndCancellations),
    I18_NOTHING_UNEXPECTED_IS_LOGGED("no error but those that the faults explain", Invariant::complaints),
    I19_PEOPLE_ARE_NOT_TALKED_ABOUT(
            "who registered is in the tables and the topic that are for it and nowhere else; who was forgotten, in no table",
            Invariant::people),
    I20_A_REBUILD_CHANGES_NOTHING("the read model built again from the topic is the same", SystemSnapshot::rebuilt),
    L01_OUTCOMES_ARE_RIGHT("enough stock and money: confirmed. Not enough: rejected", Invariant::outcomes),
    L02_LETTERS_ARE_SENT("one letter per ended order, of its kind, sent; copies under its id", Invariant::letters),
    L03_EFFECTS_ARE_ONCE_AND_IN_ORDER(
            "of each order every event took effect once, in the order of the topic", Invariant::effects);

    /**
     * Longer than a service takes to start when it is killed twice meanwhile, and everything else on the machine starts as well: on
     * two threads of one core 145 s were seen.
     */
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(240);

    private static final Duration SLACK = Duration.ofSeconds(30);

    /** As the services have it: {@code max.poll.records}. */
    private static final int MOST_RECORDS_OF_A_POLL = 500;

    private static final Set<String> ENDS = Set.of("OrderConfirmed", "OrderRejected", "OrderCancelled");
    private static final String CUSTOMERS = "table orders.customer";
    private static final String CONTACTS = "table notifications.contact";
    private static final Set<String> TABLES_OF_PEOPLE =
            Set.of(CUSTOMERS, "table orders.outbox", CONTACTS, "table notifications.notification");

    private final String promise;
    private final Function<SystemSnapshot, List<String>> check;

    Invariant(String promise, Function<SystemSnapshot, List<String>> check) {
        this.promise = promise;
        this.check = check;
    }

    public String promise() {
        return promise;
    }

    /** One line for each place where the promise was not kept; none when it was. */
    public List<String> violations(SystemSnapshot evidence) {
        return check.apply(evidence);
    }

    private static List<String> acknowledged(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var orders = byId(all);
        var keys = new HashMap<String, String>();
        for (var key : all.keys()) {
            keys.put(key.customer() + ' ' + key.key(), key.order());
            if (!orders.containsKey(key.order())) {
                violations.add("key " + key.key() + " is taken by order " + key.order() + ", which is not there");
            }
        }
        var asked = new HashSet<String>();
        placements(all).forEach((key, attempts) -> {
            asked.add(key);
            var order = keys.get(key);
            for (var attempt : attempts) {
                if (attempt.outcome() == Outcome.OK && !attempt.order().equals(order)) {
                    violations.add("order " + attempt.order() + " was accepted under " + key + ", which has " + order);
                }
            }
            var there = orders.get(String.valueOf(order));
            if (there != null && !there.customer().equals(attempts.getFirst().subject())) {
                violations.add("order " + order + " was placed under " + key + ", and is of " + there.customer());
            }
            if (order != null && attempts.stream().allMatch(attempt -> attempt.outcome() == Outcome.FAIL)) {
                violations.add("order " + order + " is there, although refused");
            }
        });
        keys.keySet().stream()
                .filter(key -> !asked.contains(key))
                .forEach(key -> violations.add("nobody asked for the order of " + key));
        if (new HashSet<>(keys.values()).size() != orders.size()) {
            violations.add(orders.size() + " orders, but " + keys.size() + " keys");
        }
        return violations;
    }

    private static Map<String, List<Operation>> placements(SystemSnapshot all) {
        return operations(all, Action.PLACE).stream()
                .collect(groupingBy(operation -> operation.subject() + ' ' + operation.key()));
    }

    private static List<Operation> operations(SystemSnapshot all, Action action) {
        return all.operations().stream()
                .filter(operation -> operation.action() == action)
                .toList();
    }

    private static Map<String, Order> byId(SystemSnapshot all) {
        return all.orders().stream().collect(toMap(Order::id, Function.identity()));
    }

    private static List<String> money(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var accounts = new HashMap<String, Long>();
        for (var transfer : all.transfers()) {
            accounts.merge(transfer.from(), -transfer.amount(), Long::sum);
            accounts.merge(transfer.to(), transfer.amount(), Long::sum);
        }
        var balances = all.balances().stream()
                .collect(toMap(balance -> "customer:" + balance.customer(), SystemSnapshot.Balance::amount));
        var customers = new HashSet<>(balances.keySet());
        accounts.keySet().stream()
                .filter(account -> account.startsWith("customer:"))
                .forEach(customers::add);
        for (var customer : customers) {
            long balance = balances.getOrDefault(customer, 0L);
            long sum = accounts.getOrDefault(customer, 0L);
            if (balance != sum || sum < 0) {
                violations.add(customer + " has " + balance + ", by transfers " + sum);
            }
        }
        long due = all.orders().stream()
                .filter(order -> order.status().equals("CONFIRMED"))
                .mapToLong(Order::total)
                .sum();
        long merchant = accounts.getOrDefault("merchant", 0L);
        if (merchant != due) {
            violations.add("the merchant has " + merchant + " for confirmed orders of " + due);
        }
        return violations;
    }

    private static List<String> payment(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var captures = amounts(all, "CAPTURE");
        var refunds = amounts(all, "REFUND");
        for (var order : all.orders()) {
            var captured = captures.getOrDefault(order.id(), List.of());
            var refunded = refunds.getOrDefault(order.id(), List.of());
            boolean right = switch (order.status()) {
                case "CONFIRMED" -> captured.equals(List.of(order.total())) && refunded.isEmpty();
                case "CANCELLED" ->
                    captured.equals(refunded) && (captured.isEmpty() || captured.equals(List.of(order.total())));
                default -> captured.isEmpty() && refunded.isEmpty();
            };
            if (!right) {
                violations.add("order %s of %d is %s: captured %s, refunded %s"
                        .formatted(order.id(), order.total(), order.status(), captured, refunded));
            }
        }
        var orders = byId(all);
        var payers = new HashMap<String, String>();
        for (var transfer : all.transfers()) {
            if (transfer.kind().equals("CAPTURE") || transfer.kind().equals("REFUND")) {
                var payer = transfer.kind().equals("CAPTURE") ? transfer.from() : transfer.to();
                var order = orders.get(transfer.order());
                var before = payers.putIfAbsent(transfer.order(), payer);
                if (before != null && !before.equals(payer)
                        || order != null
                                && !Set.of("gateway", "customer:" + order.customer())
                                        .contains(payer)) {
                    violations.add("not with who placed it: " + transfer);
                }
            }
        }
        captures.keySet().stream()
                .filter(order -> !orders.containsKey(order))
                .forEach(order -> violations.add("captured for order " + order + ", which is not there"));
        return violations;
    }

    private static List<String> cards(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var captured = gatewayCounts(all, "payment.succeeded");
        var refunded = gatewayCounts(all, "payment.refunded");
        var charged = new HashMap<String, Long>();
        var returned = new HashMap<String, Long>();
        for (var transfer : all.transfers()) {
            if (transfer.from().equals("gateway")) {
                charged.merge(transfer.order(), 1L, Long::sum);
            } else if (transfer.to().equals("gateway")) {
                returned.merge(transfer.order(), 1L, Long::sum);
            }
        }
        var payments = new HashSet<>(captured.keySet());
        payments.addAll(refunded.keySet());
        payments.addAll(charged.keySet());
        var orders = byId(all);
        for (String payment : payments) {
            long captures = captured.getOrDefault(payment, 0L);
            long refunds = refunded.getOrDefault(payment, 0L);
            if (captures > 1
                    || captures != charged.getOrDefault(payment, 0L)
                    || refunds != returned.getOrDefault(payment, 0L)) {
                violations.add("of order %s the gateway captured %d and refunded %d, the ledger says %d and %d"
                        .formatted(
                                payment,
                                captures,
                                refunds,
                                charged.getOrDefault(payment, 0L),
                                returned.getOrDefault(payment, 0L)));
            }
            var order = orders.get(payment);
            if (order == null || captures - refunds != (order.status().equals("CONFIRMED") ? 1 : 0)) {
                violations.add("order %s is %s, and the gateway captured %d and refunded %d"
                        .formatted(payment, order == null ? "not there" : order.status(), captures, refunds));
            }
        }
        gatewayCounts(all, "acceptedForgery")
                .keySet()
                .forEach(payment -> violations.add("a forgery about " + payment + " was believed"));
        return violations;
    }

    private static Map<String, Long> gatewayCounts(SystemSnapshot all, String what) {
        return all.gateway().stream()
                .filter(entry -> entry.what().equals(what))
                .collect(groupingBy(SystemSnapshot.GatewayEntry::order, counting()));
    }

    private static Map<String, List<Long>> amounts(SystemSnapshot all, String kind) {
        var amounts = new HashMap<String, List<Long>>();
        all.transfers().stream()
                .filter(transfer -> transfer.kind().equals(kind))
                .forEach(transfer -> amounts.computeIfAbsent(transfer.order(), _ -> new ArrayList<>())
                        .add(transfer.amount()));
        return amounts;
    }

    private static List<String> stock(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var taken = all.orders().stream()
                .filter(order -> order.status().equals("CONFIRMED"))
                .flatMap(order -> order.lines().entrySet().stream())
                .collect(groupingBy(Map.Entry::getKey, summingLong(Map.Entry::getValue)));
        for (var stock : all.stock()) {
            if (stock.available() < 0 || stock.reserved() < 0 || stock.sold() < 0) {
                violations.add("less than nothing: " + stock);
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

    private static List<String> reservations(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var status = all.reservations().stream()
                .collect(toMap(SystemSnapshot.Reservation::order, SystemSnapshot.Reservation::status));
        for (var order : all.orders()) {
            var reservation = status.remove(order.id());
            boolean right = switch (order.status()) {
                case "CONFIRMED" -> "COMMITTED".equals(reservation);
                case "REJECTED", "CANCELLED" -> "RELEASED".equals(reservation) || "REJECTED".equals(reservation);
                default -> true; // I06 says so
            };
            if (!right) {
                violations.add("order " + order.id() + " is " + order.status() + ", its stock " + reservation);
            }
        }
        status.keySet().forEach(order -> violations.add("stock for order " + order + ", which is not there"));
        all.stock().stream()
                .filter(stock -> stock.reserved() != 0)
                .forEach(stock -> violations.add("still reserved: " + stock));
        return violations;
    }

    private static List<String> ended(SystemSnapshot all) {
        return all.orders().stream()
                .filter(order -> !order.terminal())
                .map(order -> "order " + order.id() + " is still " + order.status())
                .toList();
    }

    /** The topic as a reader that drops duplicates sees it: of every event its first occurrence, by order. */
    private static Map<String, List<Event>> firstOccurrences(SystemSnapshot all) {
        var seen = new HashSet<UUID>();
        var byOrder = new LinkedHashMap<String, List<Event>>();
        for (var event : all.topic()) {
            if (seen.add(event.id())) {
                byOrder.computeIfAbsent(event.order(), _ -> new ArrayList<>()).add(event);
            }
        }
        return byOrder;
    }

    /**
     * Those of which an event was published again, because it had been lost with a slot: on the topic it comes late, behind
     * what came after it. That it took effect in its place all the same is for L03 to say.
     */
    private static Set<String> healed(SystemSnapshot all) {
        return publishedAgain(all)
                .filter(row -> all.lostSlots().contains(row.database()))
                .map(SystemSnapshot.OutboxRow::order)
                .collect(toSet());
    }

    /** By the auditor, which is the only one who writes an event a second time. */
    private static Stream<SystemSnapshot.OutboxRow> publishedAgain(SystemSnapshot all) {
        var ids = new HashSet<UUID>();
        return all.outbox().stream().filter(row -> !ids.add(row.id()));
    }

    private static List<String> transitions(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var healed = healed(all);
        firstOccurrences(all).forEach((order, events) -> {
            if (healed.contains(order)) {
                return;
            }
            var before = new HashSet<String>();
            for (var event : events) {
                if (!mayFollow(event.type(), before)) {
                    violations.add("order " + order + ": " + event.type() + " after " + before);
                }
                before.add(event.type());
            }
        });
        return violations;
    }

    private static boolean mayFollow(String type, Set<String> before) {
        boolean ended = before.contains("OrderConfirmed")
                || before.contains("OrderRejected")
                || before.contains("OrderCancelled");
        boolean caused = switch (type) {
            case "OrderPlaced" -> before.isEmpty();
            case "StockReserved", "StockRejected" ->
                before.contains("OrderPlaced")
                        && !before.contains("StockReserved")
                        && !before.contains("StockRejected");
            case "PaymentCaptured", "PaymentDeclined" ->
                before.contains("StockReserved")
                        && !before.contains("PaymentCaptured")
                        && !before.contains("PaymentDeclined");
            case "OrderConfirmed" -> before.contains("PaymentCaptured") && !ended;
            case "OrderRejected" -> (before.contains("StockRejected") || before.contains("PaymentDeclined")) && !ended;
            case "OrderCancelled" -> before.contains("OrderPlaced") && !ended;
            case "PaymentRefunded" -> before.contains("PaymentCaptured") && before.contains("OrderCancelled");
            default -> false;
        };
        return caused && !before.contains(type);
    }

    private static List<String> published(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var seen = all.topic().stream().map(Event::id).collect(toSet());
        var written = new HashSet<UUID>();
        for (var row : all.outbox()) {
            written.add(row.id());
            if (!seen.contains(row.id())) {
                violations.add("never published: " + row.type() + " of order " + row.order());
            }
        }
        all.topic().stream()
                .filter(event -> !written.contains(event.id()))
                .forEach(event -> violations.add("nobody wrote " + event));
        publishedAgain(all)
                .filter(row -> !all.lostSlots().contains(row.database()))
                .forEach(row -> violations.add("lost by the relay, whose slot was there, and published again: " + row));
        return violations;
    }

    private static List<String> inOrder(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        all.topic().stream()
                .collect(groupingBy(Event::order, mapping(Event::partition, toSet())))
                .forEach((order, partitions) -> {
                    if (partitions.size() > 1) {
                        violations.add("order " + order + " is in partitions " + partitions);
                    }
                });
        var healed = healed(all);
        firstOccurrences(all).forEach((order, events) -> {
            if (healed.contains(order)) {
                return;
            }
            var versions = new HashMap<String, Integer>();
            for (var event : events) {
                int expected = versions.merge(event.source(), 1, Integer::sum);
                if (event.version() != expected) {
                    violations.add("order %s: version %d of %s where %d was next"
                            .formatted(order, event.version(), event.source(), expected));
                }
            }
        });
        return violations;
    }

    private static List<String> seen(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        for (var events : firstOccurrences(all).values()) {
            for (var event : events) {
                for (var group : PoisonRecord.Groups.reactingTo(event.type())) {
                    if (!all.inbox().getOrDefault(group, Set.of()).contains(event.id())) {
                        violations.add(group + " has not seen " + event);
                    }
                }
            }
        }
        return violations;
    }

    private static List<String> effects(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var entries = all.entries().stream().collect(groupingBy(SystemSnapshot.Entry::order));
        var healed = healed(all);
        firstOccurrences(all).forEach((order, events) -> {
            var effects = entries.getOrDefault(order, List.of()).stream()
                    .map(entry -> entry.source() + ' ' + entry.version() + ' ' + entry.type())
                    .toList();
            var happened = events.stream()
                    .map(event -> event.source() + ' ' + event.version() + ' ' + event.type())
                    .toList();
            // By version within each source, if the topic itself was out of order.
            var wanted = healed.contains(order) ? happened.stream().sorted().toList() : happened;
            var got = healed.contains(order) ? effects.stream().sorted().toList() : effects;
            if (!got.equals(wanted)
                    || healed.contains(order) && !inVersionOrder(entries.getOrDefault(order, List.of()))) {
                violations.add("order " + order + ": " + happened + " took effect as " + effects);
            }
        });
        return violations;
    }

    private static boolean inVersionOrder(List<SystemSnapshot.Entry> entries) {
        var last = new HashMap<String, Integer>();
        return entries.stream().allMatch(entry -> last.merge(entry.source(), 1, Integer::sum) == entry.version());
    }

    private static List<String> view(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var views = all.views().stream().collect(toMap(SystemSnapshot.View::order, Function.identity()));
        var folds = firstOccurrences(all);
        for (var order : all.orders()) {
            var view = views.remove(order.id());
            var fold = fold(folds.getOrDefault(order.id(), List.of()));
            if (view == null) {
                violations.add("order " + order.id() + " is not in the view");
            } else if (!view.status().equals(order.status())
                    || !Objects.equals(view.reason(), order.reason())
                    || view.version() != order.version()) {
                violations.add("written " + order + ", shown " + view);
            } else if (!view.status().equals(fold.status())
                    || view.version() != fold.version()
                    || view.events() != fold.events()) {
                violations.add("told " + fold + ", shown " + view);
            }
        }
        views.values().forEach(view -> violations.add("shown, but not there: " + view));
        return violations;
    }

    private static SystemSnapshot.View fold(Collection<Event> events) {
        String status = null;
        int version = 0;
        int count = 0;
        for (var event : events) {
            count++;
            version = event.source().equals("order-service") ? Math.max(version, event.version()) : version;
            status = switch (event.type()) {
                case "OrderConfirmed" -> "CONFIRMED";
                case "OrderRejected" -> "REJECTED";
                case "OrderCancelled" -> "CANCELLED";
                default -> status;
            };
        }
        return new SystemSnapshot.View(null, status, null, version, count);
    }

    private static List<String> parked(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var expected = new HashSet<String>();
        for (var poison : all.poison()) {
            for (var group : poison.kind().parkedBy()) {
                expected.add("%s %d/%d".formatted(group, poison.partition(), poison.offset()));
            }
        }
        for (var parked : all.parked()) {
            if (!expected.remove("%s %d/%d".formatted(parked.consumer(), parked.partition(), parked.offset()))) {
                violations.add("parked without being poison: " + parked);
            }
        }
        expected.forEach(missing -> violations.add("poison that is not parked: " + missing));
        return violations;
    }

    private static List<String> offsets(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var last = new HashMap<String, SystemSnapshot.Commit>();
        for (var commit : all.commits()) {
            var position = commit.position();
            var before = last.put(position.group() + ' ' + position.partition(), commit);
            if (before != null
                    && position.offset() < before.position().offset()
                    && !all.rewinds().contains(position)
                    && !isLate(commit, before)) {
                violations.add(position + " after " + before.position().offset());
            }
        }
        return violations;
    }

    /**
     * A member that has decided what to commit, and then has to give its partitions up and commits what it knows by then, sends the
     * first commit after the rebalance: SmallRye leaves it waiting for the thread that polls, which is busy with the rebalance. It is older
     * by what was done in between; what follows from that are duplicates.
     */
    private static boolean isLate(SystemSnapshot.Commit commit, SystemSnapshot.Commit before) {
        return commit.generation() != before.generation()
                && before.position().offset() - commit.position().offset() <= MOST_RECORDS_OF_A_POLL;
    }

    private static List<String> inTime(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var decisions = all.entries().stream()
                .filter(entry -> ENDS.contains(entry.type()))
                .collect(toMap(SystemSnapshot.Entry::order, SystemSnapshot.Entry::occurredAt, (first, _) -> first));
        for (var order : all.orders()) {
            var decided = decisions.get(order.id());
            if (decided == null) {
                continue; // I06 and I11 say so
            }
            var due = order.placedAt().plus(all.deadline());
            if (decided.isBefore(due) && SystemSnapshot.GIVEN_UP.equals(order.reason())) {
                violations.add("order %s was given up at %s, before %s".formatted(order.id(), decided, due));
            }
            var late = Duration.between(due, decided).minus(overlap(all.away(), due, decided));
            if (late.compareTo(SLACK) > 0) {
                violations.add("order %s was decided at %s, and not by %s".formatted(order.id(), decided, due));
            }
        }
        return violations;
    }

    /** How much of this time the spans cover. */
    private static Duration overlap(List<TimeSpan> spans, Instant from, Instant to) {
        var sum = Duration.ZERO;
        for (var span : spans) {
            var begin = span.since().isAfter(from) ? span.since() : from;
            var end = span.until().isBefore(to) ? span.until() : to;
            sum = begin.isBefore(end) ? sum.plus(Duration.between(begin, end)) : sum;
        }
        return sum;
    }

    private static List<String> people(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var forgotten = accepted(all, Action.FORGET);
        for (var trace : all.traces()) {
            boolean table = TABLES_OF_PEOPLE.contains(trace.place());
            if (!table && !trace.place().equals("topic customer-service")) {
                violations.add("in " + trace.place() + ": " + trace.person());
            } else if (table && forgotten.contains(trace.person().mark())) {
                violations.add("forgotten, but in " + trace.place() + ": " + trace.person());
            }
        }
        var maybeForgotten =
                operations(all, Action.FORGET).stream().map(Operation::subject).collect(toSet());
        for (var place : List.of(CUSTOMERS, CONTACTS)) {
            var known = all.traces().stream()
                    .filter(trace -> trace.place().equals(place))
                    .map(trace -> trace.person().mark())
                    .collect(toSet());
            accepted(all, Action.REGISTER).stream()
                    .filter(person -> !known.contains(person) && !maybeForgotten.contains(person))
                    .forEach(person -> violations.add("registered, but not in " + place + ": " + person));
        }
        return violations;
    }

    private static Set<String> accepted(SystemSnapshot all, Action action) {
        return operations(all, action).stream()
                .filter(operation -> operation.outcome() == Outcome.OK)
                .map(Operation::subject)
                .collect(toSet());
    }

    private static List<String> alive(SystemSnapshot all) {
        var violations = new ArrayList<>(all.unquiet());
        var placements = operations(all, Action.PLACE);
        var moments = Stream.concat(
                placements.stream()
                        .filter(operation -> operation.outcome() == Outcome.OK)
                        .map(Operation::completed),
                Stream.of(all.load().until()));
        var last = all.load().since();
        for (var moment : moments.sorted().toList()) {
            var silence = Duration.between(last, moment).minus(overlap(all.dark(), last, moment));
            if (silence.compareTo(LONGEST_SILENCE) > 0) {
                violations.add("no order was accepted between " + last + " and " + moment);
            }
            last = moment;
        }
        // The lab places one when everything else is over.
        var orders = byId(all);
        boolean confirmed = placements.stream()
                .max(Comparator.comparing(Operation::invoked))
                .map(operation -> orders.get(String.valueOf(operation.order())))
                .filter(order -> order.status().equals("CONFIRMED"))
                .isPresent();
        if (!confirmed) {
            violations.add("the last order was not confirmed");
        }
        return violations;
    }

    private static List<String> depositsAndCancellations(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var deposits = all.transfers().stream()
                .filter(transfer -> transfer.kind().equals("DEPOSIT"))
                .collect(groupingBy(
                        transfer -> transfer.to() + ' ' + transfer.key(),
                        mapping(SystemSnapshot.Transfer::amount, toList())));
        operations(all, Action.DEPOSIT).stream()
                .collect(groupingBy(operation -> "customer:" + operation.subject() + ' ' + operation.key()))
                .forEach((key, attempts) -> {
                    var made = deposits.getOrDefault(key, List.of());
                    boolean accepted = attempts.stream().anyMatch(attempt -> attempt.outcome() == Outcome.OK);
                    boolean refused = attempts.stream().allMatch(attempt -> attempt.outcome() == Outcome.FAIL);
                    var wanted = List.of(attempts.getFirst().amount());
                    if (!made.equals(wanted) && !(made.isEmpty() && !accepted) || refused && !made.isEmpty()) {
                        violations.add("deposit " + key + " of " + wanted + " was made as " + made);
                    }
                });
        var orders = byId(all);
        var cancellations = operations(all, Action.CANCEL);
        cancellations.stream()
                .filter(attempt -> attempt.outcome() == Outcome.OK)
                .map(Operation::subject)
                .distinct()
                .forEach(id -> {
                    var status = orders.containsKey(id) ? orders.get(id).status() : "not there";
                    if (!status.equals("CANCELLED")) {
                        violations.add("order " + id + " was cancelled, and is " + status);
                    }
                });
        var maybeCancelled = cancellations.stream()
                .filter(attempt -> attempt.outcome() != Outcome.FAIL)
                .map(Operation::subject)
                .collect(toSet());
        orders.values().stream()
                .filter(order -> order.status().equals("CANCELLED") && !SystemSnapshot.GIVEN_UP.equals(order.reason()))
                .filter(order -> !maybeCancelled.contains(order.id()))
                .forEach(order ->
                        violations.add("order " + order.id() + " is " + order.reason() + ", which nobody asked for"));
        return violations;
    }

    private static List<String> complaints(SystemSnapshot all) {
        return all.complaints();
    }

    private static List<String> outcomes(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var orders = byId(all);
        placements(all)
                .values()
                .forEach(attempts -> attempts.stream()
                        .filter(attempt -> attempt.outcome() == Outcome.OK && attempt.intent() != Intent.ANY)
                        .findFirst()
                        .ifPresent(attempt -> {
                            var order = orders.get(attempt.order());
                            // Whether it may be cancelled is I14's and I17's business.
                            if (order != null
                                    && order.terminal()
                                    && !order.status().equals(attempt.intent().name())
                                    && !order.status().equals("CANCELLED")) {
                                violations.add("order %s was to be %s, and is %s: %s"
                                        .formatted(order.id(), attempt.intent(), order.status(), order.reason()));
                            }
                        }));
        return violations;
    }

    private static List<String> letters(SystemSnapshot all) {
        var violations = new ArrayList<String>();
        var orders = byId(all);
        var known = new HashSet<String>();
        var counts = new HashMap<String, Integer>();
        for (var letter : all.letters()) {
            known.add("<" + letter.about() + "." + letter.kind().toLowerCase(java.util.Locale.ROOT));
            if (!letter.aboutAnOrder()) {
                continue; // whether a person can still be written to is not ours to say
            }
            var order = orders.get(letter.about());
            counts.merge(letter.about(), 1, Integer::sum);
            if (order == null || !order.status().equals(letter.kind())) {
                violations.add(letter + " about " + (order == null ? "no order" : order.status()));
            } else if (!letter.state().equals("SENT")) {
                violations.add("not sent: " + letter);
            }
        }
        orders.values().stream()
                .filter(order -> order.terminal() && counts.getOrDefault(order.id(), 0) != 1)
                .forEach(order ->
                        violations.add(counts.getOrDefault(order.id(), 0) + " letters about order " + order.id()));
        all.mails().stream()
                .filter(id -> !known.contains(id.substring(0, Math.max(0, id.indexOf('@')))))
                .forEach(id -> violations.add("a mail that nobody wrote: " + id));
        return violations;
    }
}
