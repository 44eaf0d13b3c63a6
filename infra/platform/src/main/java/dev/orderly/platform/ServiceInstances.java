package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.observe.Observability;
import dev.orderly.platform.observe.Observability.Target;
import dev.orderly.platform.process.ProcessSupervisor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Instances of services beyond the first. They join its consumer groups and take their share of the
 * partitions; requests go on going to the first.
 */
final class ServiceInstances implements AutoCloseable {
    private static final int PORTS_BETWEEN_INSTANCES = 10;
    private static final int MAX_ATTEMPTS = 100;

    private final PlatformSettings settings;
    private final Secrets secrets;
    private final List<ServiceDefinition> services;
    private final ProcessSupervisor supervisor;
    private final Consumer<List<Target>> onChange;
    private final List<Added> added = new ArrayList<>();
    private boolean closed;

    private record Added(ServiceDefinition service, int number, ProcessSupervisor.Supervised process) {
        Target target() {
            return Target.ofService(service.name() + "-" + number, service.name(), service.managementPort());
        }
    }

    /** @param onChange gets where the metrics of the added ones are, whenever one comes or goes */
    ServiceInstances(
            PlatformSettings settings,
            Secrets secrets,
            List<ServiceDefinition> services,
            ProcessSupervisor supervisor,
            Consumer<List<Target>> onChange) {
        this.settings = settings;
        this.secrets = secrets;
        this.services = services;
        this.supervisor = supervisor;
        this.onChange = onChange;
    }

    boolean exist(String service) {
        return services.stream().anyMatch(known -> known.name().equals(service));
    }

    /** The first included. */
    synchronized int count(String service) {
        return 1 + of(service).size();
    }

    private List<Added> of(String service) {
        return added.stream()
                .filter(instance -> instance.service().name().equals(service))
                .toList();
    }

    /** Returns when it is ready. @throws CommandFailedException when it does not get ready, and is stopped */
    void add(String service) throws InterruptedException {
        var instance = start(service);
        try {
            instance.process().awaitReady();
        } catch (CommandFailedException e) {
            remove(instance);
            throw e;
        }
    }

    private synchronized Added start(String service) throws InterruptedException {
        if (closed) {
            throw new InterruptedException("stop requested");
        }
        int number = count(service) + 1;
        var definition = ServiceDefinition.named(services, service);
        var moved = definition.on(freePort(definition.httpPort() + PORTS_BETWEEN_INSTANCES));
        var part =
                Observability.observed(definition.anotherPart(number, moved.httpPort(), settings, secrets), settings);
        var instance = new Added(moved, number, supervisor.start(part));
        added.add(instance);
        onChange.accept(targets());
        return instance;
    }

    /** That of its management has to be free as well. */
    private static int freePort(int first) {
        return IntStream.iterate(first, port -> port + PORTS_BETWEEN_INSTANCES)
                .limit(MAX_ATTEMPTS)
                .filter(port -> PlatformPorts.free(port) && PlatformPorts.free(PlatformSettings.Ports.management(port)))
                .findFirst()
                .orElseThrow(() -> new CommandFailedException("no free port for one more instance"));
    }

    /** Takes the latest away, and returns when it has left its groups and ended. */
    void remove(String service) {
        List<Added> candidates;
        synchronized (this) {
            candidates = of(service);
        }
        if (!candidates.isEmpty()) {
            remove(candidates.getLast());
        }
    }

    private void remove(Added instance) {
        try {
            synchronized (this) {
                added.remove(instance);
                onChange.accept(targets()); // first: what ends on purpose must not be missed
            }
        } finally {
            supervisor.remove(instance.process()); // also when the disk is full
        }
    }

    private List<Target> targets() {
        return added.stream().map(Added::target).toList();
    }

    @Override
    public void close() {
        List<ProcessSupervisor.Supervised> running;
        synchronized (this) {
            closed = true;
            running = added.stream().map(Added::process).toList();
        }
        supervisor.stop(running);
    }
}
