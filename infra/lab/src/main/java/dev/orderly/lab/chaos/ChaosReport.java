package dev.orderly.lab.chaos;

import static com.github.freva.asciitable.HorizontalAlign.LEFT;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import dev.orderly.lab.chaos.check.Invariant;
import dev.orderly.lab.chaos.check.SystemSnapshot;
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
import java.util.Map;
import java.util.TreeMap;

/**
 * What happened, as tables for people and as JSON for programs.
 *
 * @param missed why a fault could not be made to happen, by its number
 * @param leftOut how many did not fit into the time
 * @param late orders that were given up at their deadline
 * @param lateRefunds those of them that had been paid for all the same, and were refunded
 * @param lettersSent by mail or SMS
 * @param mails that the mail sink had in the end: it forgets when it is killed
 */
record ChaosReport(
        long seed,
        Duration load,
        List<Happened> faults,
        Map<Integer, String> missed,
        int leftOut,
        Map<String, Map<String, Long>> operations,
        int orders,
        long late,
        long lateRefunds,
        int events,
        long republished,
        long duplicatesAbsorbed,
        long lettersSent,
        int mails,
        Map<Invariant, List<String>> violations) {

    /** Of each invariant this many are shown; the rest is in the JSON. */
    private static final int EXAMPLES = 3;

    private static final int LONGEST_EXAMPLE = 400;

    /**
     * A fault that was made to happen.
     *
     * @param over when the cause was gone, such as a process that was stopped and goes on
     * @param recovery until every partition had confirmed an order that was placed after that; null if none was to be
     */
    record Happened(Fault fault, Instant begun, Instant over, Duration recovery) {}

    static ChaosReport of(
            long seed,
            Duration load,
            List<Happened> faults,
            Map<Integer, String> missed,
            int leftOut,
            SystemSnapshot evidence,
            long republished,
            long duplicatesAbsorbed) {
        var violations = new EnumMap<Invariant, List<String>>(Invariant.class);
        for (var invariant : Invariant.values()) {
            violations.put(invariant, invariant.violations(evidence));
        }
        var late = evidence.orders().stream()
                .filter(order -> SystemSnapshot.GIVEN_UP.equals(order.reason()))
                .map(SystemSnapshot.Order::id)
                .collect(toSet());
        var recoveries = new Recoveries(evidence);
        return new ChaosReport(
                seed,
                load,
                faults.stream()
                        .map(f -> new Happened(f.fault, f.begun, f.over, recoveries.after(f.over)))
                        .toList(),
                missed,
                leftOut,
                evidence.operations().stream()
                        .collect(groupingBy(
                                operation -> operation.action().name().toLowerCase(java.util.Locale.ROOT),
                                TreeMap::new,
                                groupingBy(
                                        operation -> operation.outcome().name().toLowerCase(java.util.Locale.ROOT),
                                        TreeMap::new,
                                        counting()))),
                evidence.orders().size(),
                late.size(),
                evidence.transfers().stream()
                        .filter(transfer -> transfer.kind().equals("REFUND") && late.contains(transfer.order()))
                        .count(),
                evidence.topic().size(),
                republished,
                duplicatesAbsorbed,
                evidence.letters().stream()
                        .filter(letter -> letter.state().equals("SENT"))
                        .count(),
                evidence.mails().size(),
                violations);
    }

    /** When flow was back: in every partition an order that was placed after a moment has been confirmed. */
    private static final class Recoveries {
        private final Map<Integer, List<Instant[]>> confirmedByPartition = new HashMap<>();

        Recoveries(SystemSnapshot evidence) {
            var partitions = evidence.topic().stream()
                    .collect(toMap(SystemSnapshot.Event::order, SystemSnapshot.Event::partition, (first, _) -> first));
            var placed =
                    evidence.orders().stream().collect(toMap(SystemSnapshot.Order::id, SystemSnapshot.Order::placedAt));
            for (var entry : evidence.entries()) {
                if (entry.type().equals("OrderConfirmed") && placed.containsKey(entry.order())) {
                    confirmedByPartition
                            .computeIfAbsent(partitions.getOrDefault(entry.order(), -1), _ -> new ArrayList<>())
                            .add(new Instant[] {placed.get(entry.order()), entry.occurredAt()});
                }
            }
        }

        Duration after(Instant moment) {
            Duration slowest = null;
            for (var confirmed : confirmedByPartition.values()) {
                var first = confirmed.stream()
                        .filter(order -> order[0].isAfter(moment))
                        .map(order -> order[1])
                        .min(Instant::compareTo);
                if (first.isEmpty()) {
                    return null; // the load ended before
                }
                var taken = Duration.between(moment, first.get());
                slowest = slowest == null || taken.compareTo(slowest) > 0 ? taken : slowest;
            }
            return slowest;
        }
    }

    boolean violated() {
        return !violations.values().stream().allMatch(List::isEmpty);
    }

    /** Not violated, and not for lack of faults that could be made to happen. */
    boolean clean() {
        return !violated() && (!faults.isEmpty() || missed.isEmpty());
    }

    void print(PrintStream out) {
        var byKind = new TreeMap<String, List<Happened>>(faults.stream()
                .collect(groupingBy(happened -> happened.fault().kind().toString())));
        var missedByKind = new TreeMap<String, Long>();
        missed.forEach((_, why) -> missedByKind.merge(why.substring(0, why.indexOf(':')), 1L, Long::sum));
        missedByKind.keySet().forEach(kind -> byKind.putIfAbsent(kind, List.of()));
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                List.copyOf(byKind.entrySet()),
                List.of(
                        column("fault", kind -> kind.getKey()),
                        number("times", kind -> String.valueOf(kind.getValue().size())),
                        number("missed", kind -> String.valueOf(missedByKind.getOrDefault(kind.getKey(), 0L))),
                        number("recovery: median s", kind -> seconds(kind.getValue(), 0.5)),
                        number("max s", kind -> seconds(kind.getValue(), 1)))));
        var broken = faults.stream()
                .filter(happened -> happened.fault().kind() != Fault.Kind.NOTHING)
                .toList();
        out.printf(
                "%n%d faults of %d kinds happened (%d more could not be made to happen, %d did not fit into the time),"
                        + " load of %d s%n",
                broken.size(),
                broken.stream()
                        .map(happened -> happened.fault().kind())
                        .distinct()
                        .count(),
                missed.size(),
                leftOut,
                load.toSeconds());
        out.println("operations: " + operations);
        out.printf(
                "%d orders, %d given up at their deadline, %d of those paid for too late and refunded%n",
                orders, late, lateRefunds);
        out.printf(
                "%d records on the topic, %d of them sent again by the lab; at least %d duplicates absorbed%n",
                events, republished, duplicatesAbsorbed);
        out.printf("%d letters were sent; %d mails were still there to be looked at%n%n", lettersSent, mails);
        out.println(AsciiTable.getTable(
                AsciiTable.NO_BORDERS,
                List.copyOf(violations.entrySet()),
                List.of(
                        column(
                                "invariant",
                                (Map.Entry<Invariant, List<String>> i) ->
                                        i.getKey().name()),
                        column(
                                "",
                                i -> i.getValue().isEmpty()
                                        ? "OK"
                                        : "VIOLATED " + i.getValue().size()),
                        column("promise", i -> i.getKey().promise()))));
        violations.forEach((invariant, found) ->
                found.stream().limit(EXAMPLES).forEach(violation -> out.println(invariant + ": " + cut(violation))));
    }

    private static String cut(String line) {
        return line.length() <= LONGEST_EXAMPLE ? line : line.substring(0, LONGEST_EXAMPLE) + "…";
    }

    private static <T> com.github.freva.asciitable.ColumnData<T> column(
            String header, java.util.function.Function<T, String> value) {
        return new Column()
                .header(header)
                .headerAlign(LEFT)
                .dataAlign(LEFT)
                .maxWidth(100)
                .with(value);
    }

    private static <T> com.github.freva.asciitable.ColumnData<T> number(
            String header, java.util.function.Function<T, String> value) {
        return new Column().header(header).with(value);
    }

    private static String seconds(List<Happened> happened, double quantile) {
        var sorted = happened.stream()
                .map(Happened::recovery)
                .filter(java.util.Objects::nonNull)
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
        var json = new LinkedHashMap<String, Object>();
        json.put("seed", seed);
        json.put("loadSeconds", load.toSeconds());
        json.put(
                "faults",
                faults.stream()
                        .map(happened -> {
                            var fault = new LinkedHashMap<String, Object>();
                            fault.put("number", happened.fault().number());
                            fault.put("kind", happened.fault().kind().toString());
                            fault.put("target", happened.fault().target());
                            fault.put("begun", happened.begun().toString());
                            fault.put("over", happened.over().toString());
                            fault.put(
                                    "recoveryMillis",
                                    happened.recovery() == null
                                            ? null
                                            : happened.recovery().toMillis());
                            return fault;
                        })
                        .toList());
        json.put("missed", missed);
        json.put("leftOut", leftOut);
        json.put("operations", operations);
        json.put("orders", orders);
        json.put("givenUp", late);
        json.put("refundedAfterwards", lateRefunds);
        json.put("records", events);
        json.put("republished", republished);
        json.put("duplicatesAbsorbed", duplicatesAbsorbed);
        json.put("lettersSent", lettersSent);
        json.put("mails", mails);
        json.put("violations", violations);
        new JsonMapper().writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
    }
}
