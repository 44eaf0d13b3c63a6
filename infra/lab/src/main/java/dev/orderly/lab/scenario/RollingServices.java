package dev.orderly.lab.scenario;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.testkit.RunningPlatform;
import dev.orderly.testkit.SecondInstance;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The services, each in one version or in both at a time. Requests go to the instances of a service in turn,
 * as by a load balancer.
 */
final class RollingServices implements AutoCloseable {
    private static final Duration MAX_START = Duration.ofSeconds(180);

    private final RunningPlatform system;
    private final Map<String, Path> nextTargets;
    private final Map<String, List<Instance>> instances = new ConcurrentHashMap<>();
    private final AtomicInteger turn = new AtomicInteger();

    record Instance(int version, SecondInstance process) {
        URI url(String path) {
            return process.url(path);
        }
    }

    /** @param nextTargets of each service, where its version 2 is */
    RollingServices(RunningPlatform system, Map<String, Path> nextTargets) {
        this.system = system;
        this.nextTargets = nextTargets;
    }

    /** The one whose turn it is. */
    Instance next(String service) {
        var running = List.copyOf(instances.get(service));
        return running.get(Math.floorMod(turn.getAndIncrement(), running.size()));
    }

    /** Which run of a service: "1", "2" or "1+2". */
    String versions(String service) {
        return String.join(
                "+",
                instances.get(service).stream()
                        .map(instance -> String.valueOf(instance.version))
                        .sorted()
                        .toList());
    }

    /** Starts one more of each, and returns when they are ready. */
    void start(List<String> services, int version) throws IOException, InterruptedException {
        var started = new ArrayList<Instance>();
        try {
            for (var service : services) {
                started.add(new Instance(version, process(service, version)));
            }
            for (var instance : started) {
                awaitReady(instance);
            }
        } catch (IOException | InterruptedException | RuntimeException e) {
            stop(started);
            throw e;
        }
        for (var instance : started) {
            instances
                    .computeIfAbsent(instance.process.service(), _ -> new CopyOnWriteArrayList<>())
                    .add(instance);
        }
    }

    private SecondInstance process(String service, int version) throws IOException {
        return version == 1
                ? new SecondInstance(system, service)
                : new SecondInstance(system, service, nextTargets.get(service));
    }

    private void awaitReady(Instance instance) throws InterruptedException {
        if (!instance.process.awaitReady(MAX_START)) {
            throw new CommandFailedException("version %d of %s was not ready after %d s; see %s"
                    .formatted(
                            instance.version,
                            instance.process.service(),
                            MAX_START.toSeconds(),
                            system.data().resolve("log")));
        }
    }

    /** Sends no more requests to those of a version. Returns them; they run on. */
    List<Instance> withdraw(String service, int version) {
        var running = instances.get(service);
        var withdrawn =
                running.stream().filter(instance -> instance.version == version).toList();
        running.removeAll(withdrawn);
        return withdrawn;
    }

    static void stop(List<Instance> instances) throws IOException {
        for (var instance : instances) {
            instance.process.close();
        }
    }

    @Override
    public void close() throws IOException {
        for (var running : instances.values()) {
            stop(running);
        }
    }
}
