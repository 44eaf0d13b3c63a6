package dev.orderly.lab.bench;

import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.lab.load.OrderLoadGenerator.Results;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** The phases of the benchmark. Each begins when the one before has left no work behind. */
final class BenchPhases {
    /** Orders not yet confirmed, during saturation: work for every stage, and no queue that grows. */
    private static final int MAX_IN_FLIGHT = 2_000;

    /** Slightly fewer than the requests that a service processes concurrently before it sheds load. */
    private static final int CONNECTIONS = 192;

    private static final int WATCHED_PER_SECOND = 20;
    private static final int BACKLOG_PER_SECOND = 1_500;
    /** StockReserved and so on: what one confirmed order publishes. */
    private static final int EVENTS_PER_ORDER = 4;

    /** The system is warm after so many rounds without progress. */
    private static final int STEADY_ROUNDS = 3;

    private static final double PROGRESS = 1.05;
    private static final List<String> CONSUMERS =
            List.of("inventory-service", "payment-service", "notification-service");

    private final RunningPlatform system;
    private final List<SecondInstance> others;
    private final OrderLoadGenerator load;
    private final BenchReport report;
    private final OrderCounts orders;
    private final Instant begun = Instant.now();

    /** @param others instances that may be started in between */
    BenchPhases(RunningPlatform system, List<SecondInstance> others, OrderLoadGenerator load, BenchReport report) {
        this.system = system;
        this.others = others;
        this.load = load;
        this.report = report;
        this.orders = new OrderCounts(system);
    }

    void say(String line) {
        System.out.printf("%4d s  %s%n", Duration.between(begun, Instant.now()).toSeconds(), line);
    }

    /** Until throughput stops growing: before, the JVMs' compilers would be measured, which need minutes. */
    void warmUp(String section, Duration round, int maxRounds) throws InterruptedException, SQLException {
        double best = 0;
        int steady = 0;
        for (int number = 1; number <= maxRounds && steady < STEADY_ROUNDS; number++) {
            double perSecond = confirmedPerSecond(round);
            say("warming up: %.0f confirmed orders/s".formatted(perSecond));
            report.add(section, "confirmed orders, round " + number, perSecond, "/s", true);
            steady = perSecond > best * PROGRESS ? 0 : steady + 1;
            best = Math.max(best, perSecond);
        }
    }

    /** The same saturation with more of one thing after the other: by the same JVMs, in the same hour. */
    void growth(Duration time, String how) throws InterruptedException, SQLException {
        orders.awaitQuiescence();
        double perSecond = confirmedPerSecond(time);
        say("growth, %s: %.0f confirmed orders/s".formatted(how, perSecond));
        report.add("growth", "confirmed orders, " + how, perSecond, "/s", true);
    }

    private double confirmedPerSecond(Duration time) throws InterruptedException, SQLException {
        long before = orders.confirmed();
        long start = System.nanoTime();
        saturate(time);
        orders.awaitEnd();
        double seconds = (System.nanoTime() - start) / 1e9;
        return (orders.confirmed() - before) / seconds;
    }

    /** As many orders as the system confirms: the customers wait while too many are in flight. */
    private Results saturate(Duration time) throws InterruptedException, SQLException {
        long end = System.nanoTime() + time.toNanos();
        try (var inFlight = new OrderCounts.InFlight(system)) {
            return load.concurrently(
                    CONNECTIONS, () -> System.nanoTime() < end, () -> inFlight.orders() > MAX_IN_FLIGHT);
        }
    }

    void saturation(Duration time) throws InterruptedException, SQLException, IOException {
        say("saturation: %d s".formatted(time.toSeconds()));
        var saturation = measureSaturation(time);
        report.add("saturation", "confirmed orders, until the last is", saturation.perSecond, "/s", true);
        addErrors("saturation", saturation.results);
        report.add("saturation", "POST", saturation.results.post);
        var perOrder = saturation.cpuPerOrder;
        report.add("CPU", "all", perOrder.values().stream().mapToDouble(d -> d).sum(), "ms/order", false);
        perOrder.forEach((part, cpu) -> report.add("CPU", part, cpu, "ms/order", false));
        report.add("events", "values of an order's events", orders.eventBytes(), "bytes/order", false);
        report.bars("CPU per confirmed order", "ms", perOrder);
        var resident = ProcessUsage.residentMegabytes(system, others);
        report.add("memory", "all", resident.values().stream().mapToLong(m -> m).sum(), "MB", false);
        resident.forEach((part, memory) -> report.add("memory", part, memory, "MB", false));
    }

    /** @param cpuPerOrder in ms, by part */
    private record Saturation(Results results, double perSecond, Map<String, Double> cpuPerOrder) {}

    private Saturation measureSaturation(Duration time) throws InterruptedException, SQLException {
        orders.awaitQuiescence();
        long before = orders.confirmed();
        var cpuBefore = ProcessUsage.cpu(system, others);
        long start = System.nanoTime();
        var results = saturate(time);
        orders.awaitEnd();
        double seconds = (System.nanoTime() - start) / 1e9;
        orders.awaitQuiescence(); // messages are part of what an order costs
        long confirmed = orders.confirmed() - before;
        var perOrder = new TreeMap<String, Double>();
        ProcessUsage.cpu(system, others).forEach((part, after) -> {
            var cpu = after.minus(cpuBefore.getOrDefault(part, Duration.ZERO));
            perOrder.put(part, cpu.toNanos() / 1e6 / Math.max(1, confirmed));
        });
        return new Saturation(results, confirmed / seconds, perOrder);
    }

    /**
     * What traces cost: the CPU time of an order while a part of the orders is traced, and while none is. In
     * turns and by the same JVMs, since one run differs from the next by more than that.
     */
    void traces(Duration time, double traced, int turns) throws InterruptedException, SQLException {
        double without = 0;
        double with = 0;
        for (int turn = 1; turn <= turns; turn++) {
            load.trace(0);
            without += cpuWithoutGenerator(time);
            load.trace(traced);
            with += cpuWithoutGenerator(time);
            say("traces, turn %d of %d: %+.1f %% CPU an order".formatted(turn, turns, 100 * (with / without - 1)));
        }
        report.add("traces", "CPU, no order traced", without / turns, "ms/order", false);
        report.add(
                "traces", "CPU, %.0f %% of the orders traced".formatted(100 * traced), with / turns, "ms/order", false);
        report.add("traces", "more CPU by that", 100 * (with / without - 1), "%", false);
    }

    private double cpuWithoutGenerator(Duration time) throws InterruptedException, SQLException {
        return measureSaturation(time).cpuPerOrder.entrySet().stream()
                .filter(part -> !part.getKey().equals(ProcessUsage.GENERATOR))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    private void addErrors(String section, Results results) {
        report.add(section, "shed", results.shed.get(), "", false);
        report.add(section, "failed", results.failed.get(), "", false);
    }

    void latency(int rate, Duration time) throws InterruptedException, SQLException {
        orders.awaitQuiescence();
        say("latency: %d orders/s for %d s".formatted(rate, time.toSeconds()));
        var since = Instant.now();
        var results = load.atRate(rate, time, WATCHED_PER_SECOND);
        var section = "latency at " + rate + "/s";
        report.add(section, "POST", results.post);
        report.add(section, "POST to CONFIRMED visible", results.confirmed);
        addErrors(section, results);
        orders.awaitQuiescence();
        stages(section, since);
        report.chart(
                section, new LinkedHashMap<>(Map.of("POST", results.post, "POST to CONFIRMED", results.confirmed)));
    }

    /** Between the events of an order: commit, relay, poll, and the work up to the next. */
    private void stages(String section, Instant since) throws SQLException {
        try (var connection = system.connect("orders");
                var select = connection.prepareStatement("""
                        SELECT before.type, event.type,
                               percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP
                                   (ORDER BY extract(epoch FROM event.occurred_at - before.occurred_at) * 1000)
                        FROM order_view
                        JOIN order_view_event event USING (order_id)
                        JOIN order_view_event before
                            ON before.order_id = event.order_id AND before.position = event.position - 1
                        WHERE placed_at >= ? AND order_view.status = 'CONFIRMED'
                        GROUP BY 1, 2
                        ORDER BY min(event.position)
                        """)) {
            select.setTimestamp(1, Timestamp.from(since));
            try (var stages = select.executeQuery()) {
                while (stages.next()) {
                    var percentiles = (Double[]) stages.getArray(3).getArray();
                    var name = stages.getString(1) + " to " + stages.getString(2);
                    report.add(section, name + " p50", percentiles[0], "ms", false);
                    report.add(section, name + " p99", percentiles[1], "ms", false);
                }
            }
        }
    }

    /** How fast the consumers drain what has piled up while they were stopped. */
    void backlog(int events) throws InterruptedException, IOException {
        orders.awaitQuiescence();
        int count = events / EVENTS_PER_ORDER;
        say("backlog: %,d orders while %s are stopped".formatted(count, String.join(", ", CONSUMERS)));
        signalConsumers("STOP");
        long before = orders.confirmed();
        long start;
        try {
            load.atRate(BACKLOG_PER_SECOND, Duration.ofMillis(count * 1000L / BACKLOG_PER_SECOND), 1);
        } finally {
            start = System.nanoTime();
            signalConsumers("CONT");
        }
        var maxMemory = new TreeMap<String, Long>();
        while (orders.pending() > 0) {
            ProcessUsage.residentMegabytes(system, others)
                    .forEach((part, memory) -> maxMemory.merge(part, memory, Math::max));
            TimeUnit.MILLISECONDS.sleep(500);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        long confirmed = orders.confirmed() - before;
        report.add("backlog", "events drained", confirmed * EVENTS_PER_ORDER / seconds, "/s", true);
        report.add("backlog", "orders that had piled up", confirmed, "", true);
        for (var part : CONSUMERS) {
            report.add("backlog", "max memory of " + part, maxMemory.getOrDefault(part, 0L), "MB", false);
        }
    }

    private void signalConsumers(String signal) throws InterruptedException, IOException {
        for (var part : CONSUMERS) {
            system.signal(signal, part);
        }
        for (var other : others) {
            if (CONSUMERS.contains(other.service())) {
                RunningPlatform.signal(signal, other.jvm().orElseThrow().pid());
            }
        }
    }

    void baseline(Duration time) throws SQLException, InterruptedException, ExecutionException {
        orders.awaitQuiescence();
        say("baseline: the same servers without the services");
        var baseline = new Baseline(system, time);
        baseline.sql().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(sql -> report.add("baseline", sql.getKey(), sql.getValue(), "orders/s", true));
        report.add("baseline", "bare producer, acks=all", baseline.kafka(), "records/s", true);
    }

    /** After all that: nothing is lost, nothing was processed twice. */
    boolean isExactlyOnce(int pastOrders) throws InterruptedException {
        orders.awaitQuiescence();
        long violations = orders.violations(pastOrders);
        report.add("afterwards", "orders not confirmed, paid and sold exactly once", violations, "", false);
        return violations == 0;
    }
}
