package dev.orderly.lab.chaos;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.ColumnData;
import dev.orderly.lab.chaos.Nemesis.InjectedFault;
import dev.orderly.lab.chaos.check.Invariant;
import dev.orderly.lab.chaos.check.SystemSnapshot;
import dev.orderly.lab.chaos.check.SystemSnapshot.MessageRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.OrderRow;
import dev.orderly.lab.chaos.check.SystemSnapshot.TopicEvent;
import dev.orderly.lab.chaos.fault.Fault;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;

/** The result of a run, as tables for people and as JSON for programs. */
final class ChaosReport {

    /** Of each invariant in the table; the JSON has all. */
    private static final int MAX_EXAMPLES = 3;

    private static final int MAX_EXAMPLE_LENGTH = 400;

    private final List<InjectedFault> faults;
    /** By fault, and null if the load ended before: see {@link #recovery}. */
    private final Map<InjectedFault, Duration> recoveries = new HashMap<>();

    private final Map<Integer, String> missed;
    private final Map<Invariant, List<String>> violations = new EnumMap<>(Invariant.class);
    /** Everything else, by its name in the JSON. */
    private final Map<String, Object> figures = new LinkedHashMap<>();

    ChaosReport(long seed, Nemesis nemesis, SystemSnapshot snapshot, long duplicatesAbsorbed) {
        this.faults = nemesis.injected();
        this.missed = nemesis.missed();
        for (var invariant : Invariant.values()) {
            violations.put(invariant, invariant.violations(snapshot));
        }
        var confirmed = confirmedByPartition(snapshot);
        faults.forEach(fault -> recoveries.put(fault, recovery(confirmed.values(), fault.over())));
        var load = snapshot.client().load();
        var orders = snapshot.orders().rows();
        var expired =
                orders.stream().filter(OrderRow::expired).map(OrderRow::id).collect(toSet());
        figures.put("seed", seed);
        figures.put("loadSeconds", Duration.between(load.since(), load.until()).toSeconds());
        figures.put("leftOut", nemesis.leftOut());
        figures.put("operations", operations(snapshot));
        figures.put("orders", orders.size());
        figures.put("expired", expired.size());
        figures.put(
                "refundedAfterwards",
                snapshot.payments().transfers().stream()
                        .filter(transfer -> transfer.kind().equals("REFUND") && expired.contains(transfer.order()))
                        .count());
        figures.put("records", snapshot.kafka().events().size());
        figures.put("republished", snapshot.disturbances().republished());
        figures.put("duplicatesAbsorbed", duplicatesAbsorbed);
        figures.put(
                "messagesSent",
                snapshot.notifications().messages().stream()
                        .filter(MessageRow::sent)
                        .count());
        figures.put("mails", snapshot.notifications().mails().size());
    }

    private static Map<String, Map<String, Long>> operations(SystemSnapshot snapshot) {
        return snapshot.client().operations().stream()
                .collect(groupingBy(
                        operation -> operation.action().name().toLowerCase(Locale.ROOT),
                        TreeMap::new,
                        groupingBy(
                                operation -> operation.outcome().name().toLowerCase(Locale.ROOT),
                                TreeMap::new,
                                counting())));
    }

    private record Confirmed(Instant placedAt, Instant at) {}

    private static Map<Integer, List<Confirmed>> confirmedByPartition(SystemSnapshot snapshot) {
        var confirmed = new HashMap<Integer, List<Confirmed>>();
        var partitions = snapshot.kafka().events().stream()
                .collect(toMap(TopicEvent::order, TopicEvent::partition, (first, _) -> first));
        var orders = snapshot.orders().byId();
        for (var event : snapshot.orders().viewEvents()) {
            if (event.type().equals("OrderConfirmed") && orders.containsKey(event.order())) {
                confirmed
                        .computeIfAbsent(partitions.getOrDefault(event.order(), -1), _ -> new ArrayList<>())
                        .add(new Confirmed(orders.get(event.order()).placedAt(), event.occurredAt()));
            }
        }
        return confirmed;
    }

    /** The time until every partition has confirmed an order that was placed after that moment. */
    private static Duration recovery(Iterable<List<Confirmed>> partitions, Instant moment) {
        Duration slowest = null;
        for (var confirmed : partitions) {
            var first = confirmed.stream()
                    .filter(order -> order.placedAt.isAfter(moment))
                    .map(Confirmed::at)
                    .min(Instant::compareTo);
            if (first.isEmpty()) {
                return null;
            }
            var taken = Duration.between(moment, first.get());
            slowest = slowest == null || taken.compareTo(slowest) > 0 ? taken : slowest;
        }
        return slowest;
    }

    boolean violated() {
        return !violations.values().stream().allMatch(List::isEmpty);
    }

    /** Not violated, and not because no fault could be injected. */
    boolean clean() {
        return !violated() && (!faults.isEmpty() || missed.isEmpty());
    }

    void print(PrintStream out) {
        printFaults(out);
        out.println("operations: " + figures.get("operations"));
        out.printf(
                "%s orders, %s expired at their deadline, %s of those paid for too late and refunded%n",
                figures.get("orders"), figures.get("expired"), figures.get("refundedAfterwards"));
        out.printf(
                "%s records on the topic, %s of them sent again by the nemesis; at least %s duplicates absorbed%n",
                figures.get("records"), figures.get("republished"), figures.get("duplicatesAbsorbed"));
        out.printf(
                "%s messages sent; %s mails were still in the sink to be compared%n%n",
                figures.get("messagesSent"), figures.get("mails"));
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                List.of(Invariant.values()),
                List.of(
                        column("invariant", Invariant::name),
                        column("", this::verdict),
                        column("promise", Invariant::promise))));
        violations.forEach((invariant, found) -> found.stream()
                .limit(MAX_EXAMPLES)
                .forEach(violation -> out.println(invariant + ": " + shortened(violation))));
    }

    private void printFaults(PrintStream out) {
        var byKind = new TreeMap<String, List<InjectedFault>>(faults.stream()
                .collect(groupingBy(injected -> injected.fault().kind().toString())));
        var missedByKind =
                missed.values().stream().collect(groupingBy(why -> why.substring(0, why.indexOf(':')), counting()));
        missedByKind.keySet().forEach(kind -> byKind.putIfAbsent(kind, List.of()));
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                List.copyOf(byKind.keySet()),
                List.of(
                        column("fault", kind -> kind),
                        number("times", kind -> byKind.get(kind).size()),
                        number("missed", kind -> missedByKind.getOrDefault(kind, 0L)),
                        number("recovery: median s", kind -> recoverySeconds(byKind.get(kind), 0.5)),
                        number("max s", kind -> recoverySeconds(byKind.get(kind), 1)))));
        byKind.remove(Fault.Kind.NOTHING.toString());
        byKind.values().removeIf(List::isEmpty);
        out.printf(
                "%n%d faults of %d kinds (%d more could not be injected, %s did not fit into the time),"
                        + " load of %s s%n",
                byKind.values().stream().mapToInt(List::size).sum(),
                byKind.size(),
                missed.size(),
                figures.get("leftOut"),
                figures.get("loadSeconds"));
    }

    private String verdict(Invariant invariant) {
        int found = violations.get(invariant).size();
        return found == 0 ? "OK" : "VIOLATED " + found;
    }

    private static String shortened(String line) {
        return line.length() <= MAX_EXAMPLE_LENGTH ? line : line.substring(0, MAX_EXAMPLE_LENGTH) + "…";
    }

    private static <T> ColumnData<T> column(String header, Function<T, String> value) {
        return new Column()
                .header(header)
                .headerAlign(LEFT)
                .dataAlign(LEFT)
                .maxWidth(100)
                .with(value);
    }

    private static <T> ColumnData<T> number(String header, Function<T, Object> value) {
        return new Column().header(header).with(row -> String.valueOf(value.apply(row)));
    }

    private String recoverySeconds(List<InjectedFault> injected, double quantile) {
        var sorted = injected.stream()
                .map(recoveries::get)
                .filter(Objects::nonNull)
                .sorted()
                .toList();
        return sorted.isEmpty()
                ? "-"
                : "%.1f"
                        .formatted(sorted.get((int) Math.ceil(quantile * sorted.size()) - 1)
                                        .toMillis()
                                / 1000.0);
    }

    void write(Path file) throws IOException {
        var json = new LinkedHashMap<>(figures);
        json.put("faults", faults.stream().map(this::json).toList());
        json.put("missed", missed);
        json.put("violations", violations);
        new JsonMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
    }

    private Map<String, Object> json(InjectedFault injected) {
        var json = new LinkedHashMap<String, Object>();
        json.put("number", injected.fault().number());
        json.put("kind", injected.fault().kind().toString());
        json.put("target", injected.fault().target());
        json.put("begun", injected.begun().toString());
        json.put("over", injected.over().toString());
        var recovery = recoveries.get(injected);
        json.put("recoveryMillis", recovery == null ? null : recovery.toMillis());
        return json;
    }
}
