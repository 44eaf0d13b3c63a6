package dev.orderly.lab.bench;

import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./orderly bench --cold}: what a visitor meets while the JVMs still interpret and compile. The time
 * until everything is ready, the first order, the latency at low rates in each of the first five minutes, the
 * compilers' share of the CPU until then, and what the system costs at rest afterwards.
 */
final class ColdStart {
    /** Few: opening their accounts is load, before the first order. */
    static final int CUSTOMERS = 50;

    private static final List<Integer> RATES = List.of(5, 20, 50);
    private static final Duration EACH = Duration.ofSeconds(18);
    private static final int MINUTES = 5;
    private static final int WATCHED_PER_SECOND = 20;
    private static final Duration REST = Duration.ofSeconds(20);

    private final RunningPlatform system;
    private final OrderLoadGenerator load;
    private final BenchReport report;

    ColdStart(RunningPlatform system, OrderLoadGenerator load, BenchReport report) {
        this.system = system;
        this.load = load;
        this.report = report;
    }

    /** @param start how long it took until everything was ready */
    void measure(Duration start) throws InterruptedException, IOException {
        long ready = System.nanoTime();
        System.out.printf("ready after %.1f s%n", start.toMillis() / 1000.0);
        report.add("start", "ready after", start.toMillis() / 1000.0, "s", false);
        load.seed();
        var first = load.atRate(1, Duration.ofSeconds(1), 1);
        report.add("start", "first order, POST", first.post.getMaxValue() / 1000.0, "ms", false);
        report.add("start", "first order, POST to CONFIRMED", first.confirmed.getMaxValue() / 1000.0, "ms", false);
        for (int minute = 1; minute <= MINUTES; minute++) {
            for (int rate : RATES) {
                latency("minute " + minute + ", " + rate + "/s", rate);
            }
            TimeUnit.NANOSECONDS.sleep(ready + TimeUnit.MINUTES.toNanos(minute) - System.nanoTime());
        }
        compilers();
        atRest();
    }

    private void latency(String section, int rate) throws InterruptedException {
        var results = load.atRate(rate, EACH, WATCHED_PER_SECOND);
        report.add(section, "POST", results.post);
        report.add(section, "POST to CONFIRMED visible", results.confirmed);
        report.add(section, "shed or failed", results.shed.get() + results.failed.get(), "", false);
        System.out.printf(
                "%s: POST p50 %.0f ms, POST to CONFIRMED p50 %.0f, p99 %.0f ms%n",
                section,
                results.post.getValueAtPercentile(50) / 1000.0,
                results.confirmed.getValueAtPercentile(50) / 1000.0,
                results.confirmed.getValueAtPercentile(99) / 1000.0);
    }

    /** Of all CPU time since each process started. */
    private void compilers() throws IOException {
        var all = ProcessUsage.cpu(system, List.of());
        for (var compiler : ProcessUsage.compilers(system).entrySet()) {
            double share = 100.0
                    * compiler.getValue().toNanos()
                    / Math.max(1, all.get(compiler.getKey()).toNanos());
            report.add("JIT compilers' share of CPU, " + MINUTES + " minutes", compiler.getKey(), share, "%", false);
        }
    }

    /** When all work is done; the generator, which is this process, apart. */
    private void atRest() throws InterruptedException {
        new OrderCounts(system).awaitQuiescence();
        var before = ProcessUsage.cpu(system, List.of());
        TimeUnit.MILLISECONDS.sleep(REST.toMillis());
        var after = ProcessUsage.cpu(system, List.of());
        after.remove(ProcessUsage.GENERATOR);
        double all = 0;
        for (var part : after.entrySet()) {
            double millis = part.getValue().minus(before.get(part.getKey())).toMillis() / (double) REST.toSeconds();
            report.add("at rest", part.getKey(), millis, "ms/s", false);
            all += millis;
        }
        double cores = Runtime.getRuntime().availableProcessors();
        report.add("at rest", "all, of the machine", all / (10 * cores), "%", false);
        System.out.printf("at rest: %.1f %% of the machine%n", all / (10 * cores));
    }
}
