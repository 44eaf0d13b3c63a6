package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.BROKERS;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Processes that die, stop, hang or fail. */
final class ProcessFaults {
    private static final Duration MAX_RESTART_TIME = Duration.ofSeconds(60);

    private final RunningPlatform system;
    private final Disturbances disturbances;

    ProcessFaults(RunningPlatform system, Disturbances disturbances) {
        this.system = system;
        this.disturbances = disturbances;
    }

    /** Of a process that runs. */
    long pid(String process) throws FaultNotInjected {
        long pid = system.part(process).pid();
        if (pid == 0) {
            throw new FaultNotInjected(process + " was down");
        }
        return pid;
    }

    /** @param target one process, or several: "a+b" */
    void signal(String signal, String target) throws InterruptedException, IOException, FaultNotInjected {
        for (String process : target.split("\\+")) {
            RunningPlatform.signal(signal, pid(process));
        }
    }

    void killAll(List<String> processes) throws InterruptedException, IOException {
        for (var process : system.parts()) {
            if (processes.contains(process.name()) && process.pid() != 0) {
                RunningPlatform.signal("KILL", process.pid());
            }
        }
    }

    /** Children of a postmaster would go on without it, so they are stopped as well. */
    void pause(Fault fault) throws InterruptedException, IOException, FaultNotInjected {
        long parent = pid(fault.target());
        var pids = new ArrayList<>(List.of(parent));
        ProcessHandle.of(parent).stream()
                .flatMap(ProcessHandle::descendants)
                .map(ProcessHandle::pid)
                .forEach(pids::add);
        freeze(pids, fault.duration());
    }

    static void freeze(List<Long> pids, Duration time) throws InterruptedException, IOException {
        try {
            for (long pid : pids) {
                RunningPlatform.signal("STOP", pid);
            }
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } finally {
            for (long pid : pids) {
                RunningPlatform.signal("CONT", pid);
            }
        }
    }

    void restartBrokers(Fault fault) throws InterruptedException, IOException, FaultNotInjected {
        for (String broker : BROKERS) {
            long former = pid(broker);
            RunningPlatform.signal("TERM", former);
            Await.until(MAX_RESTART_TIME, broker + " to be back", () -> {
                var now = system.part(broker);
                return now.isReady() && now.pid() != former;
            });
        }
    }

    void hangMail(Fault fault) throws InterruptedException, FaultNotInjected {
        var hang = "{\"seconds\":%d}".formatted(fault.duration().toSeconds());
        awaitEnd(fault, system.ask("PUT", system.mailApi("/api/fault"), hang));
    }

    void failGateway(Fault fault) throws InterruptedException, FaultNotInjected {
        var fail = "{\"behaviour\":\"%s\",\"seconds\":%d}"
                .formatted(fault.target(), fault.duration().toSeconds());
        awaitEnd(fault, system.askGateway("PUT", "/fault", fail));
    }

    private static void awaitEnd(Fault fault, Optional<String> answer) throws InterruptedException, FaultNotInjected {
        if (answer.isEmpty()) {
            throw new FaultNotInjected("the simulators do not answer");
        }
        TimeUnit.MILLISECONDS.sleep(fault.duration().toMillis());
    }

    void cutPower(Fault fault) throws InterruptedException {
        var off = Instant.now();
        try {
            system.powerCut();
        } finally {
            disturbances.powerCuts().add(new TimeSpan(off, Instant.now()));
        }
    }
}
