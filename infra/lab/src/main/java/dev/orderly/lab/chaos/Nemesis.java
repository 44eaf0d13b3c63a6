package dev.orderly.lab.chaos;

import dev.orderly.lab.chaos.fault.Fault;
import dev.orderly.lab.chaos.fault.FaultInjector;
import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.testkit.RunningPlatform;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Injects faults by their schedule while the workload runs, and records what it injected. */
final class Nemesis {

    /** With more at once, too little of the system is left to learn from. */
    private static final int MAX_FAULTS_AT_ONCE = 3;

    private static final Duration MAX_RECOVERY = Duration.ofSeconds(60);
    private static final Duration FLOW_CHECK_INTERVAL = Duration.ofMillis(250);

    private static final String PARTITIONS_WITH_FLOW = """
            SELECT DISTINCT event.partition FROM order_view JOIN order_view_event event USING (order_id)
            WHERE placed_at > '%s' AND event.type = 'OrderConfirmed'
            """;

    private static final int PARTITIONS = 3;

    private final RunningPlatform system;
    private final FaultInjector injector;
    private final boolean alone;
    private final List<InjectedFault> injected = Collections.synchronizedList(new ArrayList<>());
    private final Map<Integer, String> missed = Collections.synchronizedMap(new TreeMap<>());
    private volatile int leftOut;

    /** @param over when the cause was gone, such as a stopped process that goes on */
    record InjectedFault(Fault fault, Instant begun, Instant over) {}

    /** @param alone no fault before the system has recovered from the one before */
    Nemesis(RunningPlatform system, FaultInjector injector, boolean alone) {
        this.system = system;
        this.injector = injector;
        this.alone = alone;
    }

    List<InjectedFault> injected() {
        return List.copyOf(injected);
    }

    /** Why a fault could not be injected, by its number. */
    Map<Integer, String> missed() {
        return new TreeMap<>(missed);
    }

    /** How many faults did not fit into the time. */
    int leftOut() {
        return leftOut;
    }

    /**
     * @param extra faults that do not count against the limit of faults at once
     * @param end after which no fault begins
     */
    void run(List<Fault> schedule, List<Fault> extra, Instant end) throws InterruptedException {
        var start = Instant.now();
        int max = alone ? 1 : MAX_FAULTS_AT_ONCE;
        var permits = new Semaphore(max);
        leftOut = schedule.size();
        try (var running = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var fault : extra) {
                running.submit(() -> {
                    TimeUnit.MILLISECONDS.sleep(fault.at().toMillis());
                    inject(fault);
                    return null;
                });
            }
            for (var fault : schedule) {
                var due = start.plus(fault.at());
                if (due.isAfter(end)) {
                    break;
                }
                TimeUnit.MILLISECONDS.sleep(millisUntil(due));
                // No other fault can hit what is switched off.
                int share = fault.kind() == Fault.Kind.POWER_CUT ? max : 1;
                if (!permits.tryAcquire(share, millisUntil(end), TimeUnit.MILLISECONDS)) {
                    break;
                }
                leftOut--;
                // A wait for a permit moves all that follow, so that the pauses between faults stay as they
                // are.
                var late = Duration.between(due, Instant.now());
                start = late.isPositive() ? start.plus(late) : start;
                running.submit(() -> {
                    try {
                        inject(fault);
                        if (alone) {
                            awaitFlow();
                        }
                        return null;
                    } finally {
                        permits.release(share);
                    }
                });
            }
            permits.acquire(max);
        }
    }

    private static long millisUntil(Instant moment) {
        return moment.equals(Instant.MAX)
                ? Long.MAX_VALUE
                : Math.max(0, Duration.between(Instant.now(), moment).toMillis());
    }

    private void inject(Fault fault) throws InterruptedException {
        ChaosCommand.print(fault);
        var begun = Instant.now();
        try {
            injector.inject(fault);
            injected.add(new InjectedFault(fault, begun, isKill(fault.kind()) ? begun : Instant.now()));
        } catch (FaultNotInjected e) {
            missed.put(fault.number(), fault.kind() + ": " + e.getMessage());
            ChaosCommand.print("  " + fault.number() + " missed: " + e.getMessage());
        }
    }

    /** A kill is over at once: whatever takes time after that is the recovery. */
    private static boolean isKill(Fault.Kind kind) {
        return kind == Fault.Kind.POWER_CUT || kind == Fault.Kind.REWIND_OFFSETS;
    }

    /** Until every process is ready, and an order placed from now on is confirmed in every partition. */
    private void awaitFlow() throws InterruptedException {
        var query = PARTITIONS_WITH_FLOW.formatted(Instant.now());
        long deadline = System.nanoTime() + MAX_RECOVERY.toNanos();
        while (System.nanoTime() < deadline) {
            try {
                if (Sql.column(system, "orders", query).size() == PARTITIONS
                        && system.brokenParts().isEmpty()) {
                    return;
                }
            } catch (SQLException _) {
                // the database may be what recovers
            }
            TimeUnit.MILLISECONDS.sleep(FLOW_CHECK_INTERVAL.toMillis());
        }
        ChaosCommand.print("no recovery within " + MAX_RECOVERY.toSeconds() + " s");
    }
}
