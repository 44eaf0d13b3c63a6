package dev.orderly.platform;

import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.kafka.ConsumerGroups;
import dev.orderly.platform.observe.AlertReceiver;
import dev.orderly.platform.observe.GroupMetrics;
import dev.orderly.platform.observe.Observability;
import dev.orderly.platform.observe.Observability.Target;
import dev.orderly.platform.process.ManagedProcess;
import dev.orderly.platform.process.ProcessSupervisor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** With {@code --observe}: metrics of every part, who reads them, and the launcher's reaction to alerts. */
final class Observers implements AutoCloseable {
    private final PlatformSettings settings;
    private final Platform.Scope scope;
    private final List<ServiceDefinition> services;
    private final Observability observability;
    private GroupMetrics groupMetrics;
    private ServiceInstances instances;
    private AutoScaler scaler;
    private AlertReceiver alerts;

    Observers(PlatformSettings settings, Platform.Scope scope, List<ServiceDefinition> services)
            throws InterruptedException {
        this.settings = settings;
        this.scope = scope;
        this.services = services;
        this.observability = new Observability(settings);
    }

    /** The same parts, as they are started to be observed. */
    List<ManagedProcess> observed(List<ManagedProcess> parts) {
        return parts.stream()
                .map(part -> Observability.observed(part, settings))
                .toList();
    }

    /** Begins what runs in the launcher itself, and returns the processes beside it. */
    List<ManagedProcess> begin(Secrets secrets, ProcessSupervisor supervisor) {
        var brokers = settings.bootstrapServers(settings.ports()::internal);
        var groups = new ConsumerGroups(settings.infra(), brokers, secrets);
        groupMetrics = new GroupMetrics(
                groups,
                secrets.certificates(),
                Optional.of(settings.data()),
                PlatformSettings.HOST,
                settings.ports().groupMetrics());
        var parts = observability.parts(targets(), secrets);
        if (scope.services()) {
            instances = new ServiceInstances(settings, secrets, services, supervisor, this::alsoRead);
            scaler = new AutoScaler(settings, instances, groups);
            alerts = new AlertReceiver(settings.ports().alertReceiver(), observability.alertToken(), scaler::react);
        }
        return parts;
    }

    private void alsoRead(List<Target> added) {
        var all = targets();
        all.addAll(added);
        observability.read(all);
    }

    private List<Target> targets() {
        var targets = new ArrayList<Target>();
        for (int id = 1; id <= settings.brokers(); id++) {
            targets.add(Target.of("kafka-" + id, "kafka", settings.ports().brokerMetrics(id)));
        }
        if (scope.connect()) {
            targets.add(
                    Target.of(ConnectWorker.NAME, "connect", settings.ports().connectMetrics()));
        }
        if (scope.services()) {
            services.forEach(
                    service -> targets.add(Target.ofService(service.name(), service.name(), service.managementPort())));
        }
        targets.add(Target.of("launcher", "launcher", settings.ports().groupMetrics()));
        return targets;
    }

    /** Before the services are stopped, and after the processes that {@link #begin} has returned. */
    @Override
    public void close() {
        if (alerts != null) {
            alerts.close();
            scaler.close();
            instances.close();
        }
        if (groupMetrics != null) {
            groupMetrics.close();
        }
        observability.close();
    }
}
