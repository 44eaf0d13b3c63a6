package dev.orderly.lab.chaos;

import dev.orderly.lab.chaos.check.AvailabilityMonitor;
import dev.orderly.lab.chaos.check.Quiescence;
import dev.orderly.lab.chaos.check.SystemSnapshot;
import dev.orderly.lab.chaos.fault.Fault;
import dev.orderly.lab.chaos.fault.FaultInjector;
import dev.orderly.lab.chaos.fault.Mutation;
import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.lab.chaos.workload.OperationHistory;
import dev.orderly.lab.chaos.workload.Workload;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.testkit.ComposePlatform;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./orderly chaos}: 0 when every promise was kept, 1 when not. */
@Command(
        name = "chaos",
        description = {
            "Break the running system by a schedule, and check that it kept every promise.",
            "Starts a platform of its own, drives a mixed load, injects faults, heals, waits until all is at rest, checks.",
            "The seed determines load and schedule; not the moments at which threads and processes meet.",
            "With --compose it starts and breaks nothing: what docker-compose up has started is yours to break meanwhile."
        })
public final class ChaosCommand implements Callable<Integer> {

    /** In seconds; no fault takes less. */
    private static final double SHORTEST_PAUSE = 0.01;

    /** More at once, and what is left of the system is too little to learn from. */
    private static final int MOST_AT_ONCE = 3;

    private static final Duration ANSWERS = Duration.ofSeconds(60);
    private static final Duration RECOVERY = Duration.ofSeconds(60);
    /** Of the load after the last fault has begun, so that its recovery can be seen; of a short load a quarter. */
    private static final Duration LULL = Duration.ofSeconds(10);
    /** Of load, at most, for faults that are not over in time. */
    private static final Duration OVERTIME = Duration.ofSeconds(30);

    private static final Duration MAX_MUTATION = Duration.ofSeconds(150);
    /** Before an order is given up; short, so that faults make it happen. */
    private static final Duration ORDER_DEADLINE = Duration.ofSeconds(30);
    /** That which order-service has by itself. */
    private static final Duration COMPOSED_ORDER_DEADLINE = Duration.ofMinutes(2);

    private static final Duration PROBE = Duration.ofMillis(250);

    @Spec
    CommandSpec spec;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "(default: ${DEFAULT-VALUE})")
    long seed;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            defaultValue = "3",
            description = "Of load, and a little more if a fault is not over by then. (default: ${DEFAULT-VALUE})")
    double minutes;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Faults that are injected, however long it takes. (default: as many as fit into the time)")
    int count;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "100",
            description = "Operations offered per second. (default: ${DEFAULT-VALUE})")
    int rate;

    @Option(
            names = "--every",
            paramLabel = "SECONDS",
            defaultValue = "4",
            description = "Mean time between faults. (default: ${DEFAULT-VALUE})")
    double every;

    @Option(
            names = "--faults",
            paramLabel = "KIND",
            split = ",",
            defaultValue = "all",
            description = "Kinds, \"none\", \"all\", or \"-kind\" for all but that. (default: ${DEFAULT-VALUE})")
    List<String> faults;

    @Option(names = "--alone", description = "No fault before the flow has recovered from the one before.")
    boolean alone;

    @Option(
            names = "--mutate",
            paramLabel = "NAME",
            defaultValue = "NONE",
            description = "Have the services break a promise, to see that it is noticed: ${COMPLETION-CANDIDATES}")
    Mutation mutation;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description =
                    "After the load, for there to be less left to do, until there is nothing. (default: ${DEFAULT-VALUE})")
    int deadline;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Where platform, history and report are kept. (default: a temporary folder)")
    Path data;

    @Option(
            names = "--compose",
            description = "Load and check what docker-compose up has started, without an order yet.")
    boolean compose;

    /** For whoever breaks it meanwhile: the load lasts as long as that takes. */
    @Option(names = "--until-eof", hidden = true)
    boolean untilEof;

    @Option(names = "--schedule", description = "Print what would go wrong when, and do nothing.")
    boolean scheduleOnly;

    private static final Map<String, String> SETTINGS = Map.of(
            // Longer than a transaction takes; else what a lost slot swallowed is missing for more than a minute.
            "ORDERLY_OUTBOX_AUDIT_GRACE", "20S", "ORDERLY_ORDER_DEADLINE", ORDER_DEADLINE.toSeconds() + "S");

    private final List<ChaosReport.Happened> happened = Collections.synchronizedList(new ArrayList<>());
    private final Map<Integer, String> missed = Collections.synchronizedMap(new TreeMap<>());
    private volatile int leftOut;

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException {
        if (minutes <= 0 || rate <= 0 || every < SHORTEST_PAUSE || count < 0 || deadline <= 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes, --rate and --deadline must be more than 0, --count not less, --every at least "
                            + SHORTEST_PAUSE);
        }
        var load = Duration.ofMillis((long) (minutes * 60_000));
        var schedule = schedule(load.minus(lull(load)));
        if (scheduleOnly) {
            schedule.forEach(ChaosCommand::print);
            return 0;
        }
        Path folder = data == null ? Files.createTempDirectory("orderly-chaos-") : data.toAbsolutePath();
        Files.createDirectories(folder);
        System.setProperty("orderly.log", folder.resolve("chaos.log").toString());
        System.out.printf(
                "seed %d, %d faults%s, %d operations/s, in %s%n",
                seed, schedule.size(), count > 0 ? "" : " in " + load.toSeconds() + " s", rate, folder);
        boolean clean = run(folder, schedule, load);
        if (clean && data == null && !compose) {
            StateDirectory.delete(folder.resolve("platform"));
        }
        return clean ? 0 : 1;
    }

    private boolean run(Path folder, List<Fault> schedule, Duration load)
            throws IOException, InterruptedException, SQLException {
        try (var system = compose
                        ? new ComposePlatform(folder.resolve("platform"))
                        : new RunningPlatform(folder.resolve("platform"), SETTINGS, "up", "--free-ports", "--fresh");
                var history = new OperationHistory(folder.resolve("history.jsonl"))) {
            system.start();
            var report = run(system, history, schedule, load);
            report.print(System.out);
            report.write(folder.resolve("report.json"));
            System.out.println(
                    report.clean()
                            ? "\nevery promise was kept; report: " + folder.resolve("report.json")
                            : "\n%s, with seed %d. Again: ./orderly %s; all is in %s"
                                    .formatted(
                                            report.violated() ? "VIOLATED" : "NOTHING COULD BE BROKEN",
                                            seed,
                                            again(),
                                            folder));
            return report.clean();
        }
    }

    /** But for the folder, which has what the next run would overwrite. */
    private String again() {
        return spec.commandLine().getParseResult().originalArgs().stream()
                .filter(argument -> !argument.startsWith("--data") && !argument.equals(String.valueOf(data)))
                .collect(Collectors.joining(" "));
    }

    private static Duration lull(Duration load) {
        var quarter = load.dividedBy(4);
        return quarter.compareTo(LULL) < 0 ? quarter : LULL;
    }

    private List<Fault> schedule(Duration time) {
        if (compose) {
            if (spec.commandLine().getParseResult().hasMatchedOption("--faults") || mutation != Mutation.NONE) {
                throw new ParameterException(spec.commandLine(), "--compose breaks nothing: no --faults, no --mutate");
            }
            return List.of();
        }
        try {
            var pause = Duration.ofMillis((long) (every * 1000));
            var kinds = Fault.kinds(faults);
            return count > 0
                    ? Fault.schedule(seed, pause, kinds).limit(count).toList()
                    : Fault.schedule(seed, pause, kinds)
                            .takeWhile(fault -> fault.at().compareTo(time) < 0)
                            .toList();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private ChaosReport run(RunningPlatform system, OperationHistory history, List<Fault> schedule, Duration time)
            throws InterruptedException, SQLException, IOException {
        try (var injector = new FaultInjector(system);
                var load = new Workload(system, history, seed, rate);
                var watch = new AvailabilityMonitor(system)) {
            load.prepare();
            if (mutation != Mutation.NONE) {
                say("mutated: " + mutation.what());
            }
            injector.mutation(mutation);
            boolean endless = count > 0 || untilEof;
            var end = endless ? Instant.MAX : Instant.now().plus(time).minus(lull(time));
            var nemesis = Thread.ofPlatform().daemon().name("nemesis").start(() -> {
                if (untilEof) {
                    awaitEndOfInput();
                } else {
                    injectAll(system, injector, schedule, end);
                }
            });
            // What a broken variant needs to go wrong has to happen under load.
            var overtime = mutation.faults().isEmpty() ? OVERTIME : MAX_MUTATION;
            var latest = endless ? Instant.MAX : Instant.now().plus(time).plus(overtime);
            var begun = Instant.now();
            var taken = load.run(
                    endless ? Duration.ZERO : time,
                    () -> nemesis.isAlive() && Instant.now().isBefore(latest));
            say("the load is over after %d s; healing".formatted(taken.toSeconds()));
            nemesis.join();
            injector.heal();
            if (!injector.unmutatedServices().isEmpty()) {
                throw new CommandFailedException("not mutated: " + injector.unmutatedServices());
            }
            var customers = new TimeSpan(begun, begun.plus(taken));
            load.finish(ANSWERS);
            boolean audited = schedule.stream().anyMatch(fault -> fault.kind() == Fault.Kind.LOSE_SLOT);
            var quiescence = new Quiescence(system, audited);
            var unquiet = quiescence.await(Duration.ofSeconds(deadline));
            if (unquiet.isEmpty()) {
                load.placeLast();
                unquiet = quiescence.await(Duration.ofSeconds(deadline));
            }
            say(unquiet.isEmpty() ? "all is at rest; checking" : "not at rest: " + unquiet);
            say("%.1f operations/s were offered; %d were not, for too many had no answer yet"
                    .formatted(load.offered() * 1000.0 / taken.toMillis(), load.notOffered()));
            var evidence = evidence(system, history, injector, customers, watch, unquiet);
            return ChaosReport.of(
                    seed,
                    taken,
                    List.copyOf(happened),
                    missed,
                    leftOut,
                    evidence,
                    injector.republished(),
                    watch.duplicates());
        }
    }

    private SystemSnapshot evidence(
            RunningPlatform system,
            OperationHistory history,
            FaultInjector injector,
            TimeSpan customers,
            AvailabilityMonitor watch,
            List<String> unquiet)
            throws InterruptedException {
        try {
            return SystemSnapshot.of(
                    system,
                    history.operations(),
                    injector.rewinds(),
                    injector.lostSlots(),
                    compose ? COMPOSED_ORDER_DEADLINE : ORDER_DEADLINE,
                    customers,
                    watch.away(),
                    injector.dark(),
                    unquiet);
        } catch (SQLException | IOException | RuntimeException e) {
            throw new CommandFailedException(
                    "seed %d cannot be judged, for the evidence could not be collected: %s; not at rest: %s"
                            .formatted(seed, e.getMessage(), unquiet),
                    e);
        }
    }

    private static void awaitEndOfInput() {
        try {
            System.in.readAllBytes();
        } catch (IOException e) {
            say("standard input cannot be read, so the load ends: " + e.getMessage());
        }
    }

    private void injectAll(RunningPlatform system, FaultInjector injector, List<Fault> schedule, Instant end) {
        var start = Instant.now();
        var atOnce = new Semaphore(alone ? 1 : MOST_AT_ONCE);
        try (var running = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var fault : mutation.faults()) {
                running.submit(() -> {
                    TimeUnit.MILLISECONDS.sleep(fault.at().toMillis());
                    inject(injector, fault);
                    return null;
                });
            }
            leftOut = schedule.size();
            for (var fault : schedule) {
                var due = start.plus(fault.at());
                if (due.isAfter(end)) {
                    break; // It would make the run longer than it was to be.
                }
                TimeUnit.MILLISECONDS.sleep(millisUntil(due));
                // Nothing else can happen to what is not there.
                int share = fault.kind() == Fault.Kind.POWER_CUT && !alone ? MOST_AT_ONCE : 1;
                if (!atOnce.tryAcquire(share, millisUntil(end), TimeUnit.MILLISECONDS)) {
                    break;
                }
                leftOut--;
                // What was waited for comes on top: the pauses between the faults stay as they are.
                var late = Duration.between(due, Instant.now());
                start = late.isPositive() ? start.plus(late) : start;
                running.submit(() -> {
                    try {
                        inject(injector, fault);
                        if (alone) {
                            awaitFlow(system);
                        }
                    } catch (InterruptedException _) {
                        Thread.currentThread().interrupt();
                    } finally {
                        atOnce.release(share);
                    }
                });
            }
            atOnce.acquire(alone ? 1 : MOST_AT_ONCE);
            if (count > 0) {
                TimeUnit.MILLISECONDS.sleep(LULL.toMillis());
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static long millisUntil(Instant moment) {
        return moment.equals(Instant.MAX)
                ? Long.MAX_VALUE
                : Math.max(0, Duration.between(Instant.now(), moment).toMillis());
    }

    private void inject(FaultInjector injector, Fault fault) throws InterruptedException {
        print(fault);
        var begun = Instant.now();
        try {
            injector.inject(fault);
            happened.add(new ChaosReport.Happened(fault, begun, end(fault, begun), null));
        } catch (FaultInjector.Missed e) {
            missed.put(fault.number(), fault.kind() + ": " + e.getMessage());
            say("  " + fault.number() + " missed: " + e.getMessage());
        }
    }

    /** A kill is over as soon as it is done: what takes time after that is the recovery. */
    private static Instant end(Fault fault, Instant begun) {
        return fault.kind() == Fault.Kind.POWER_CUT || fault.kind() == Fault.Kind.REWIND_OFFSETS
                ? begun
                : Instant.now();
    }

    /** Until everything runs, and an order placed from now on was confirmed in every partition, which takes three or so. */
    private static void awaitFlow(RunningPlatform system) throws InterruptedException {
        var since = Instant.now();
        long deadline = System.nanoTime() + RECOVERY.toNanos();
        while (System.nanoTime() < deadline) {
            try (var connection = system.connect("orders");
                    var select = connection.prepareStatement("""
                            SELECT count(DISTINCT event.partition)
                            FROM order_view JOIN order_view_event event USING (order_id)
                            WHERE placed_at > ? AND event.type = 'OrderConfirmed'
                            """)) {
                select.setTimestamp(1, java.sql.Timestamp.from(since));
                try (var row = select.executeQuery()) {
                    row.next();
                    if (row.getInt(1) == 3 && system.parts().stream().allMatch(RunningPlatform.Part::ready)) {
                        return;
                    }
                }
            } catch (SQLException _) {
                // it may be the database that recovers
            }
            TimeUnit.MILLISECONDS.sleep(PROBE.toMillis());
        }
        say("no recovery within " + RECOVERY.toSeconds() + " s");
    }

    private static void print(Fault fault) {
        say("%4d  %6.1f s  %s %s%s"
                .formatted(
                        fault.number(),
                        fault.at().toMillis() / 1000.0,
                        fault.kind(),
                        fault.target(),
                        fault.lasts().isZero()
                                ? ""
                                : " for %.1f s".formatted(fault.lasts().toMillis() / 1000.0)));
    }

    private static synchronized void say(String line) {
        System.out.println(line);
    }
}
