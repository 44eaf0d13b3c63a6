package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.signal;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.common.GroupState;

/** Members that join and leave consumer groups, and zombies. */
final class MembershipFaults {
    /** For a process that starts beside a dozen that are busy. */
    private static final Duration MAX_START_TIME = Duration.ofSeconds(120);

    private final RunningPlatform system;
    private final ProcessFaults processes;
    private final List<SecondInstance> instances = new CopyOnWriteArrayList<>();

    MembershipFaults(RunningPlatform system, ProcessFaults processes) {
        this.system = system;
        this.processes = processes;
    }

    Stream<ProcessHandle> secondInstances(String service) {
        return instances.stream()
                .filter(instance -> instance.service().equals(service))
                .flatMap(instance -> instance.jvm().stream());
    }

    void endAll() {
        instances.forEach(SecondInstance::kill);
    }

    void secondInstance(Fault fault) throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        boolean leaves = fault.randomParameter() % 2 == 0;
        withSecondInstance(fault.target(), leaves, second -> second.await(fault.duration()));
    }

    void rebalanceStorm(Fault fault) throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        var half = fault.duration().dividedBy(2);
        withSecondInstance(fault.target(), true, second -> second.await(half));
        withSecondInstance(fault.target(), false, second -> second.await(half));
    }

    /** Twice, since the first time may fall between two batches. */
    void zombie(Fault fault) throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        withSecondInstance(fault.target(), true, _ -> {
            expelWhilePaused(fault.target(), fault.duration());
            expelWhilePaused(fault.target(), fault.duration());
        });
    }

    private interface InstanceAction {
        void accept(SecondInstance second)
                throws InterruptedException, IOException, ExecutionException, FaultNotInjected;
    }

    /** @param leaves its groups in the end, instead of being killed */
    private void withSecondInstance(String service, boolean leaves, InstanceAction action)
            throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        // It does not live long enough for the second compiler.
        try (var instance = new SecondInstance(system, service, "-XX:TieredStopAtLevel=1")) {
            instances.add(instance);
            try {
                if (!instance.awaitReady(MAX_START_TIME)) {
                    throw new FaultNotInjected("the second instance did not become ready");
                }
                action.accept(instance);
            } finally {
                if (!leaves) {
                    instance.kill();
                }
                instances.remove(instance);
            }
        }
    }

    /**
     * A zombie: an owner of partitions is stopped in the middle of a batch and expelled from its groups,
     * another member goes on from the committed offsets, and then the first goes on as well.
     */
    private void expelWhilePaused(String service, Duration time)
            throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        var groups = GROUPS.entrySet().stream()
                .filter(group -> group.getValue().equals(service))
                .map(Map.Entry::getKey)
                .toList();
        Await.until(MAX_START_TIME, "the second instance to have joined", () -> haveSeveralMembers(groups));
        long pid = processes.pid(service);
        signal("STOP", pid);
        try {
            // The supervisor configured this instance id; the second instance has none.
            var paused = new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove(service)));
            for (String group : groups) {
                system.admin()
                        .removeMembersFromConsumerGroup(group, paused)
                        .all()
                        .get();
            }
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } finally {
            signal("CONT", pid);
        }
    }

    private boolean haveSeveralMembers(List<String> groups) throws InterruptedException {
        try {
            return system.admin().describeConsumerGroups(groups).all().get().values().stream()
                    .allMatch(group -> group.groupState() == GroupState.STABLE
                            && group.members().size() > 1);
        } catch (ExecutionException _) {
            return false; // another fault may have hit the brokers
        }
    }
}
