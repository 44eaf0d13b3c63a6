package dev.orderly.lab.chaos;

import dev.orderly.lab.chaos.check.AvailabilityMonitor;
import dev.orderly.lab.chaos.check.Quiescence;
import dev.orderly.lab.chaos.check.SnapshotReader;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code ./orderly chaos}: exits with 0 when every promise was kept, and with 1 when not. */
@Command(
        name = "chaos",
        description = {
            "Inject faults into a running system by a schedule, and check that it kept every promise.",
            "Starts a platform of its own, drives a mixed load, injects faults, waits for quiescence, checks.",
            "The seed determines load and schedule, but not how threads and processes interleave.",
            "With --compose it starts nothing and injects no faults into what docker-compose up has started: you may."
        })
public final class ChaosCommand implements Callable<Integer> {

    private static final String DEFAULT = " (default: ${DEFAULT-VALUE})";
    private static final double MIN_SECONDS_BETWEEN_FAULTS = 0.01;

    private static final Duration MAX_RETRY_TIME_AFTER_LOAD = Duration.ofSeconds(60);
    /** Load after the last fault began, so that its recovery can be measured; of a short load a quarter. */
    private static final Duration COOLDOWN = Duration.ofSeconds(10);
    /** More load for faults that are not over in time. */
    private static final Duration MAX_OVERTIME = Duration.ofSeconds(30);
    /** What a mutation needs to have an effect must happen under load. */
    private static final Duration MAX_MUTATION_OVERTIME = Duration.ofSeconds(150);
    /** Short, so that orders expire under faults. */
    private static final Duration ORDER_DEADLINE = Duration.ofSeconds(30);
    /** The default of order-service. */
    private static final Duration COMPOSED_ORDER_DEADLINE = Duration.ofMinutes(2);

    @Spec
    CommandSpec spec;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of load and schedule." + DEFAULT)
    long seed;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            defaultValue = "3",
            description = "Of load, and 30 s more for faults that last." + DEFAULT)
    double minutes;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Faults to inject, however long it takes. (default: as many as fit into the time)")
    int count;

    @Option(names = "--rate", paramLabel = "N", defaultValue = "100", description = "Operations per second." + DEFAULT)
    int rate;

    @Option(
            names = "--every",
            paramLabel = "SECONDS",
            defaultValue = "4",
            description = "Mean time between faults." + DEFAULT)
    double every;

    @Option(
            names = "--faults",
            paramLabel = "KIND",
            split = ",",
            defaultValue = "all",
            description = "Kinds, \"none\", \"all\", or \"-kind\" for all but that." + DEFAULT)
    List<String> faults;

    @Option(names = "--alone", description = "No fault before the system has recovered from the one before.")
    boolean alone;

    @Option(
            names = "--mutate",
            paramLabel = "NAME",
            defaultValue = "NONE",
            description = "Have the services break a promise, to see that a check finds it: ${COMPLETION-CANDIDATES}")
    Mutation mutation;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "After the load, for the backlog to shrink, until it is gone." + DEFAULT)
    int deadline;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Directory of platform, history and report. (default: a temporary one)")
    Path data;

    @Option(
            names = "--event-format",
            paramLabel = "FORMAT",
            defaultValue = "json",
            description = "Of what the services publish: json, avro or protobuf." + DEFAULT)
    String eventFormat;

    @Option(
            names = "--compose",
            description = "Load and check what docker-compose up has started; it must have no orders yet.")
    boolean compose;

    /** For a caller that injects the faults: the load lasts until it closes the standard input. */
    @Option(names = "--until-eof", hidden = true)
    boolean untilEof;

    @Option(names = "--schedule", description = "Print the faults and their times, and do nothing.")
    boolean scheduleOnly;

    private static final Map<String, String> SETTINGS = Map.of(
            // Longer than any transaction, and short: events lost with a slot are missing for that long.
            "ORDERLY_OUTBOX_AUDIT_GRACE", "20S", "ORDERLY_ORDER_DEADLINE", ORDER_DEADLINE.toSeconds() + "S");

    @Override
    public Integer call() throws IOException, InterruptedException, SQLException {
        if (minutes <= 0 || rate <= 0 || every < MIN_SECONDS_BETWEEN_FAULTS || count < 0 || deadline <= 0) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes, --rate and --deadline must be more than 0, --count not less, --every at least "
                            + MIN_SECONDS_BETWEEN_FAULTS);
        }
        var load = Duration.ofMillis((long) (minutes * 60_000));
        var schedule = schedule(load.minus(cooldown(load)));
        if (scheduleOnly) {
            schedule.forEach(ChaosCommand::print);
            return 0;
        }
        Path directory = data == null ? Files.createTempDirectory("orderly-chaos-") : data.toAbsolutePath();
        Files.createDirectories(directory);
        System.setProperty("orderly.log", directory.resolve("chaos.log").toString());
        System.out.printf(
                "seed %d, %d faults%s, %d operations/s, in %s%n",
                seed, schedule.size(), count > 0 ? "" : " in " + load.toSeconds() + " s", rate, directory);
        boolean clean = run(directory, schedule, load);
        if (clean && data == null && !compose) {
            StateDirectory.delete(directory.resolve("platform"));
        }
        return clean ? 0 : 1;
    }

    private static Duration cooldown(Duration load) {
        var quarter = load.dividedBy(4);
        return quarter.compareTo(COOLDOWN) < 0 ? quarter : COOLDOWN;
    }

    private List<Fault> schedule(Duration time) {
        if (compose) {
            if (spec.commandLine().getParseResult().hasMatchedOption("--faults") || mutation != Mutation.NONE) {
                throw new ParameterException(spec.commandLine(), "--compose takes neither --faults nor --mutate");
            }
            return List.of();
        }
        try {
            var schedule = Fault.schedule(seed, Duration.ofMillis((long) (every * 1000)), Fault.kinds(faults));
            return count > 0
                    ? schedule.limit(count).toList()
                    : schedule.takeWhile(fault -> fault.at().compareTo(time) < 0)
                            .toList();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private boolean run(Path directory, List<Fault> schedule, Duration load)
            throws IOException, InterruptedException, SQLException {
        try (var system = compose
                        ? new ComposePlatform(directory.resolve("platform"))
                        : new RunningPlatform(
                                directory.resolve("platform"),
                                SETTINGS,
                                "up",
                                "--no-console",
                                "--free-ports",
                                "--fresh",
                                "--event-format",
                                eventFormat);
                var history = new OperationHistory(directory.resolve("history.jsonl"))) {
            system.start();
            var report = run(system, history, schedule, load);
            report.print(System.out);
            report.write(directory.resolve("report.json"));
            System.out.println(
                    report.clean()
                            ? "\nevery promise was kept; report: " + directory.resolve("report.json")
                            : "\n%s, with seed %d. Again: ./orderly %s; all data is in %s"
                                    .formatted(
                                            report.violated() ? "VIOLATED" : "NO FAULT COULD BE INJECTED",
                                            seed,
                                            again(),
                                            directory));
            return report.clean();
        }
    }

    /** The same command, without the directory, which the next run would overwrite. */
    private String again() {
        return spec.commandLine().getParseResult().originalArgs().stream()
                .filter(argument -> !argument.startsWith("--data") && !argument.equals(String.valueOf(data)))
                .collect(Collectors.joining(" "));
    }

    private ChaosReport run(RunningPlatform system, OperationHistory history, List<Fault> schedule, Duration time)
            throws InterruptedException, SQLException, IOException {
        try (var injector = new FaultInjector(system);
                var workload = new Workload(system, history, seed, rate);
                var monitor = new AvailabilityMonitor(system)) {
            workload.prepare();
            if (mutation != Mutation.NONE) {
                print("mutated: " + mutation.description());
            }
            injector.mutate(mutation);
            var nemesis = new Nemesis(system, injector, alone);
            var load = run(workload, nemesis, schedule, time);
            injector.recover();
            if (!injector.unmutatedServices().isEmpty()) {
                throw new CommandFailedException("not mutated: " + injector.unmutatedServices());
            }
            workload.finish(MAX_RETRY_TIME_AFTER_LOAD);
            boolean audited = schedule.stream().anyMatch(fault -> fault.kind() == Fault.Kind.LOSE_SLOT);
            var pendingWork = awaitQuiescence(workload, new Quiescence(system, audited));
            var taken = Duration.between(load.since(), load.until());
            print("%.1f operations/s were offered; %d were not, because too many were in flight"
                    .formatted(workload.offered() * 1000.0 / taken.toMillis(), workload.notOffered()));
            var client = new SystemSnapshot.ClientHistory(history.operations(), load);
            try {
                var reader = new SnapshotReader(system, compose ? COMPOSED_ORDER_DEADLINE : ORDER_DEADLINE);
                var snapshot = reader.read(client, injector.disturbances(), monitor.outages(), pendingWork);
                return new ChaosReport(seed, nemesis, snapshot, monitor.duplicates());
            } catch (SQLException | IOException | RuntimeException e) {
                throw new CommandFailedException(
                        "seed %d cannot be checked, since no snapshot could be taken: %s; pending: %s"
                                .formatted(seed, e.getMessage(), pendingWork),
                        e);
            }
        }
    }

    /** Returns when load and faults are over. */
    private TimeSpan run(Workload workload, Nemesis nemesis, List<Fault> schedule, Duration time)
            throws InterruptedException {
        var begun = Instant.now();
        boolean endless = count > 0 || untilEof;
        var end = endless ? Instant.MAX : begun.plus(time).minus(cooldown(time));
        var overtime = mutation.faults().isEmpty() ? MAX_OVERTIME : MAX_MUTATION_OVERTIME;
        var latestEnd = endless ? Instant.MAX : begun.plus(time).plus(overtime);
        var faults = Thread.ofPlatform().daemon().name("nemesis").start(() -> {
            try {
                if (untilEof) {
                    System.in.readAllBytes();
                } else {
                    nemesis.run(schedule, mutation.faults(), end);
                }
                if (count > 0) {
                    TimeUnit.MILLISECONDS.sleep(COOLDOWN.toMillis());
                }
            } catch (IOException e) {
                print("standard input cannot be read, so the load ends: " + e.getMessage());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        var taken = workload.run(
                endless ? Duration.ZERO : time,
                () -> faults.isAlive() && Instant.now().isBefore(latestEnd));
        print("the load is over after %d s; recovering".formatted(taken.toSeconds()));
        faults.join();
        return new TimeSpan(begun, begun.plus(taken));
    }

    /** Returns what is pending at the deadline; nothing if the system is quiescent. */
    private List<String> awaitQuiescence(Workload workload, Quiescence quiescence) throws InterruptedException {
        var pendingWork = quiescence.await(Duration.ofSeconds(deadline));
        if (pendingWork.isEmpty()) {
            workload.placeLast();
            pendingWork = quiescence.await(Duration.ofSeconds(deadline));
        }
        print(pendingWork.isEmpty() ? "quiescent; checking" : "not quiescent: " + pendingWork);
        return pendingWork;
    }

    static void print(Fault fault) {
        var duration = fault.duration().isZero()
                ? ""
                : " for %.1f s".formatted(fault.duration().toMillis() / 1000.0);
        print("%4d  %6.1f s  %s %s%s"
                .formatted(fault.number(), fault.at().toMillis() / 1000.0, fault.kind(), fault.target(), duration));
    }

    static synchronized void print(String line) {
        System.out.println(line);
    }
}
