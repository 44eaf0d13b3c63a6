package dev.orderly.lab.bench;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.lab.load.OrderLoadGenerator;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.operations.PartitionScaler;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./orderly bench}: a fresh platform with everything on this machine, warmed up and measured. What
 * each figure is, and what bounds it, is in {@code docs/results/performance.md}.
 */
@Command(
        name = "bench",
        description = "Measure throughput, CPU per order, latency, drain rate, and what the bare servers can do.")
public final class BenchCommand implements Callable<Integer> {
    private static final Duration MAX_WAIT = Duration.ofMinutes(5);
    private static final Duration WARM_UP_ROUND = Duration.ofSeconds(30);
    private static final Duration QUICK_WARM_UP_ROUND = Duration.ofSeconds(18);
    private static final int MAX_WARM_UP_ROUNDS = 20;
    /** The default of orderly.traces.sampling. */
    private static final double TRACED = 0.05;

    private static final int TURNS = 5;

    @Option(names = "--quick", description = "In three to four minutes: shorter, fewer rates, a smaller backlog.")
    boolean quick;

    @Option(
            names = "--cold",
            description = "The first five minutes instead: the start, latency minute by minute, and CPU at rest.")
    boolean cold;

    @Option(
            names = "--traces",
            description =
                    "What traces cost instead: CPU an order with a twentieth of the orders traced, and with none.")
    boolean traces;

    @Option(names = "--seconds", paramLabel = "N", description = "Of saturation. (default: 60, quick: 15)")
    Integer seconds;

    @Option(
            names = "--rates",
            split = ",",
            paramLabel = "N",
            description = "Orders/s offered. (default: 50,200,500,1000, quick: 50,200)")
    List<Integer> rates;

    @Option(
            names = "--backlog",
            paramLabel = "EVENTS",
            description = "That pile up while services are stopped. (default: 200000, quick: 4000)")
    Integer backlog;

    @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "0",
            description = "Saturate once more, with N past orders in the tables. (default: ${DEFAULT-VALUE})")
    int rows;

    @Option(
            names = "--instances",
            paramLabel = "N",
            defaultValue = "1",
            description = "Once more, with N of each service; requests go to the first. (default: ${DEFAULT-VALUE})")
    int instances;

    @Option(names = "--partitions", paramLabel = "N", description = "Once more, with the topic of orders grown to N.")
    Integer partitions;

    @Option(
            names = "--event-format",
            paramLabel = "FORMAT",
            defaultValue = "json",
            description = "Of what the services publish: json, avro or protobuf. (default: ${DEFAULT-VALUE})")
    String eventFormat;

    @Option(names = "--out", paramLabel = "DIR", description = "Where the report goes. (default: a temporary folder)")
    Path out;

    @Option(
            names = "--compare",
            arity = "2",
            paramLabel = "DIR",
            description = "Measure nothing: compare two reports side by side.")
    List<Path> compare;

    private final List<SecondInstance> others = new ArrayList<>();
    private final BenchReport report = new BenchReport();

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException, ExecutionException {
        if (compare != null) {
            System.out.println(BenchReport.compared(compare.get(0), compare.get(1)));
            return 0;
        }
        Path folder = out == null ? Files.createTempDirectory("orderly-bench-") : out.toAbsolutePath();
        Files.createDirectories(folder);
        System.setProperty("orderly.log", folder.resolve("bench.log").toString());
        boolean right;
        try (var sink = new SpanSink();
                var system = new RunningPlatform(
                        folder.resolve("platform"),
                        traces ? sink.settings() : Map.of(),
                        "up",
                        "--no-console",
                        "--free-ports",
                        "--fresh",
                        "--event-format",
                        eventFormat)) {
            System.out.println("starting everything");
            long start = System.nanoTime();
            system.start();
            right = cold ? measureCold(system, Duration.ofNanos(System.nanoTime() - start)) : measureWarm(system);
        }
        var about = new JsonMapper()
                .createObjectNode()
                .put("at", Instant.now().toString())
                .put("cores", Runtime.getRuntime().availableProcessors())
                .put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("quick", quick)
                .put("cold", cold)
                .put("rows", rows)
                .put("instances", instances)
                .put("partitions", partitions)
                .put("eventFormat", eventFormat);
        report.write(folder, about);
        System.out.println("\n" + report.table() + "\nreport: " + folder.resolve("report.html"));
        return right ? 0 : 1;
    }

    private boolean measureCold(RunningPlatform system, Duration start) throws InterruptedException, IOException {
        try (var load = new OrderLoadGenerator(system, ColdStart.CUSTOMERS)) {
            new ColdStart(system, load, report).measure(start);
        }
        return new OrderCounts(system).violations(0) == 0;
    }

    private boolean measureWarm(RunningPlatform system)
            throws InterruptedException, SQLException, IOException, ExecutionException {
        try (var load = new OrderLoadGenerator(system)) {
            load.seed();
            return measure(system, new BenchPhases(system, others, load, report));
        } finally {
            for (var other : others) {
                other.close();
            }
        }
    }

    private boolean measure(RunningPlatform system, BenchPhases phases)
            throws InterruptedException, SQLException, IOException, ExecutionException {
        warmUp(phases, "warm-up");
        var time = Duration.ofSeconds(seconds != null ? seconds : quick ? 15 : 60);
        if (traces) {
            phases.traces(time, TRACED, TURNS);
            return phases.isExactlyOnce(0);
        }
        phases.saturation(time);
        for (int rate : rates != null ? rates : quick ? List.of(50, 200) : List.of(50, 200, 500, 1000)) {
            phases.latency(rate, Duration.ofSeconds(quick ? 6 : 30));
        }
        phases.backlog(backlog != null ? backlog : quick ? 4_000 : 200_000);
        if (rows > 0 || instances > 1 || partitions != null) {
            grow(system, phases, time);
        }
        phases.baseline(Duration.ofSeconds(quick ? 3 : 10));
        return phases.isExactlyOnce(rows);
    }

    private void warmUp(BenchPhases phases, String section) throws InterruptedException, SQLException {
        if (quick) {
            phases.warmUp(section, QUICK_WARM_UP_ROUND, 1);
        } else {
            phases.warmUp(section, WARM_UP_ROUND, MAX_WARM_UP_ROUNDS);
        }
    }

    private void grow(RunningPlatform system, BenchPhases phases, Duration time)
            throws InterruptedException, SQLException, IOException, ExecutionException {
        phases.growth(time, "as it was");
        if (rows > 0) {
            phases.say("%,d past orders".formatted(rows));
            PastOrders.insert(system, rows);
            phases.growth(time, "and %,d past orders".formatted(rows));
        }
        if (partitions != null) {
            PartitionScaler.grow(system.data(), partitions, MAX_WAIT);
            phases.growth(time, "and %d partitions".formatted(partitions));
        }
        if (instances > 1) {
            phases.say("%d instances".formatted(instances));
            startOthers(system);
            warmUp(phases, "warm-up of the other instances");
            phases.growth(time, "and %d instances".formatted(instances));
        }
    }

    private void startOthers(RunningPlatform system) throws IOException, InterruptedException {
        for (int i = 1; i < instances; i++) {
            for (var service : RunningPlatform.SERVICES) {
                var other = new SecondInstance(system, service);
                others.add(other);
                if (!other.awaitReady(MAX_WAIT)) {
                    throw new CommandFailedException("another instance of " + service + " did not become ready");
                }
            }
        }
    }
}
