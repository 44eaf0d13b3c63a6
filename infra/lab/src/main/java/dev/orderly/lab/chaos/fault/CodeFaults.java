package dev.orderly.lab.chaos.fault;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Changes in the code of running services: crash points, and mutations that last as long as the run. */
final class CodeFaults implements AutoCloseable {
    private static final Duration MAX_TIME_TO_CRASH = Duration.ofSeconds(15);
    private static final int MAX_VISITS = 20;
    private static final Duration MUTATION_INTERVAL = Duration.ofMillis(300);

    private final RunningPlatform system;
    private final ProcessFaults processes;
    private final MembershipFaults memberships;
    private final BytemanAgent byteman = new BytemanAgent();
    private final ExecutorService mutators = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Long> mutated = ConcurrentHashMap.newKeySet();
    private final Map<String, String> unmutatedServices = new ConcurrentHashMap<>();

    CodeFaults(RunningPlatform system, ProcessFaults processes, MembershipFaults memberships) {
        this.system = system;
        this.processes = processes;
        this.memberships = memberships;
    }

    void crash(Fault fault) throws InterruptedException, IOException, FaultNotInjected {
        var at = fault.target().split("@");
        var service = at[1];
        // An agent cannot be loaded into a process that is only starting.
        Await.until(
                MAX_TIME_TO_CRASH,
                service + " to be ready",
                () -> system.part(service).isReady());
        long pid = processes.pid(service);
        var rule = CrashPoint.valueOf(at[0]).rule(1 + fault.randomParameter() % MAX_VISITS);
        byteman.install(pid, rule);
        try {
            Await.until(
                    MAX_TIME_TO_CRASH,
                    "the crash",
                    () -> ProcessHandle.of(pid).filter(ProcessHandle::isAlive).isEmpty());
        } catch (CommandFailedException _) {
            byteman.uninstall(pid, rule);
            throw new FaultNotInjected("the service did not pass " + fault.target());
        }
    }

    void mutate(Mutation mutation) {
        for (String service : mutation.services()) {
            unmutatedServices.put(service, "no process could be reached");
            mutators.submit(() -> {
                while (true) {
                    var process = system.part(service);
                    var first = process.isReady() ? Stream.of(process.pid()) : Stream.<Long>empty();
                    var second = memberships.secondInstances(service).map(ProcessHandle::pid);
                    for (long pid : Stream.concat(first, second).toList()) {
                        apply(mutation.rules(), service, pid);
                    }
                    TimeUnit.MILLISECONDS.sleep(MUTATION_INTERVAL.toMillis());
                }
            });
        }
    }

    private void apply(String rules, String service, long pid) {
        try {
            if (!mutated.contains(pid)) {
                byteman.install(pid, rules);
                mutated.add(pid);
                unmutatedServices.remove(service);
            }
            var failures = byteman.failures(pid);
            if (!failures.isEmpty()) {
                unmutatedServices.put(service, String.join("; ", failures));
            }
        } catch (IOException _) {
            // The process is starting or ending: the next round tries again.
        }
    }

    Map<String, String> unmutatedServices() {
        return Map.copyOf(unmutatedServices);
    }

    @Override
    public void close() {
        mutators.shutdownNow();
    }
}
