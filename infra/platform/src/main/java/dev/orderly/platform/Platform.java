package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.connect.ConnectorReconciler;
import dev.orderly.platform.connect.SinkWorker;
import dev.orderly.platform.kafka.KafkaBrokers;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.kafka.KafkaUsers;
import dev.orderly.platform.postgres.PostgresServer;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.postgres.SinkDatabases;
import dev.orderly.platform.process.ManagedProcess;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.ProcessSupervisor;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything one launcher runs, and the order of its start. PostgreSQL and the brokers start in parallel;
 * databases are migrated and topics exist before any service starts; services, Connect and the simulators
 * start in parallel; an outbox's relay is registered as soon as its slot exists.
 */
public final class Platform implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Platform.class);
    private static final Duration RELAYS_DEADLINE = Duration.ofSeconds(180);
    private static final Duration STATUS_RETRY = Duration.ofSeconds(1);

    private final PlatformSettings settings;
    private final Scope scope;
    private final ConsoleProgress progress;
    private final List<ServiceDefinition> services;
    private final ProcessSupervisor supervisor;
    private volatile boolean started;
    private final StateDirectory folder;
    private KafkaBrokers kafka;
    private ConnectorReconciler connectors;
    private CertificateReload certificates;
    private Observers observers;
    private final AtomicBoolean statusOutOfDate = new AtomicBoolean();
    private boolean stopped;

    // In the order of stopping; each stage is stopped in parallel.
    private final List<ProcessSupervisor.Supervised> runningObservers = new ArrayList<>();
    private final List<ProcessSupervisor.Supervised> runningConsole = new ArrayList<>();
    private final List<ProcessSupervisor.Supervised> runningServices = new ArrayList<>();
    private final List<ProcessSupervisor.Supervised> runningHelpers = new ArrayList<>();
    private final List<ProcessSupervisor.Supervised> runningBrokers = new ArrayList<>();
    private final List<ProcessSupervisor.Supervised> runningPostgres = new ArrayList<>();

    /** What to start besides PostgreSQL and Kafka. */
    public record Scope(
            boolean services, boolean connect, boolean simulators, boolean observe, boolean console, boolean erpCrm) {
        public static final Scope ALL = new Scope(true, true, true, false, true, false);
        /** For what is measured, and for what ends by itself. */
        public static final Scope WITHOUT_CONSOLE = new Scope(true, true, true, false, false, false);

        Scope observed(boolean observed) {
            return new Scope(services, connect, simulators, observed, console, erpCrm);
        }

        Scope synchronizing(boolean erpAndCrm) {
            return new Scope(services, connect, simulators, observe, console, erpAndCrm);
        }
    }

    /** @param folder closed with this platform */
    Platform(PlatformSettings settings, Scope scope, StateDirectory folder, ConsoleProgress progress) {
        this.settings = settings;
        this.scope = scope;
        this.folder = folder;
        this.progress = progress;
        this.services =
                ServiceDefinition.all(settings.checkout(), settings.ports().http());
        this.supervisor = new ProcessSupervisor(settings, this::changed);
    }

    public List<ServiceDefinition> services() {
        return services;
    }

    /** Returns when everything is ready. If it fails, {@link #close} must still be called. */
    void start() throws InterruptedException {
        checkPorts();
        checkBuilt();
        if (scope.observe()) {
            observers = new Observers(settings, scope, services);
        }
        var databases = services.stream().map(ServiceDefinition::database).toList();
        var names = new ArrayList<>(ServiceDatabases.roles(databases));
        names.addAll(KafkaUsers.read(settings.infra()).secrets());
        names.add(KafkaBrokers.SECRET);
        names.addAll(ServiceDatabases.consoleRoles(databases));
        names.addAll(SinkDatabases.roles());
        var secrets = Secrets.of(settings.data(), names);
        var postgres = new PostgresServer(settings, secrets);
        var registry = SchemaRegistry.ifWanted(settings, secrets, progress);
        kafka = new KafkaBrokers(settings, secrets);

        ParallelTasks.run(() -> startPostgres(postgres, databases, registry.isPresent(), secrets), () -> {
            kafka.init();
            startAndAwait(observed(kafka.parts()), runningBrokers);
            kafka.createTopics();
        });
        var internal = settings.bootstrapServers(settings.ports()::internal);
        certificates = new CertificateReload(postgres.databases(), internal, secrets);
        certificates.start();
        writeEnvironments(secrets);

        var helpers = new ArrayList<ManagedProcess>();
        if (scope.connect()) {
            var connect = new ConnectWorker(settings, secrets, databases);
            helpers.addAll(observed(List.of(connect.part())));
            connectors = new ConnectorReconciler(
                    settings.infra(),
                    connect.url("/"),
                    ConnectWorker.authorization(secrets.of(Secrets.CONNECT)),
                    postgres.databases(),
                    databases,
                    connect.passwords());
            connectors.start();
        }
        registry.ifPresent(wanted -> helpers.add(wanted.part()));
        if (scope.erpCrm()) {
            helpers.add(new SinkWorker(settings, secrets).part());
        }
        if (scope.simulators()) {
            helpers.add(new Simulators(settings, secrets, services).part());
        }
        var applications = scope.services()
                ? observed(services.stream().map(s -> s.part(settings, secrets)).toList())
                : List.<ManagedProcess>of();
        ParallelTasks.run(
                () -> startAndAwait(helpers, runningHelpers), () -> startAndAwait(applications, runningServices));
        if (scope.services() && scope.connect()) {
            awaitRelays();
        }
        if (observers != null) {
            startAndAwait(observers.begin(secrets, supervisor), runningObservers);
        }
        started = true;
        supervisor.changed();
        startConsole(secrets);
    }

    /** With all databases, migrated. */
    private void startPostgres(PostgresServer postgres, List<String> databases, boolean registry, Secrets secrets)
            throws InterruptedException {
        postgres.init();
        startAndAwait(List.of(postgres.part()), runningPostgres);
        postgres.databases().create(databases);
        if (registry) {
            postgres.databases().createRegistry();
        }
        if (scope.services()) {
            ServiceMigrations.apply(services, settings.checkout(), postgres.databases());
        }
        if (scope.console()) {
            postgres.databases().createConsoleRoles(databases);
        }
        if (scope.erpCrm()) {
            new SinkDatabases(settings.infra(), postgres.databases(), secrets).create();
        }
    }

    private void writeEnvironments(Secrets secrets) {
        // One that is started by hand, or by a test, on a platform without services migrates by itself.
        services.forEach(service -> service.writeEnvironment(settings, secrets, !scope.services()));
        for (String user : List.of(KafkaLogin.ADMIN, KafkaLogin.READER)) {
            var environment = new TreeMap<>(
                    KafkaLogin.of(secrets, user).environment(settings.bootstrapServers(), secrets.certificates()));
            environment.putAll(SchemaRegistry.clientEnvironment(settings, secrets));
            ServiceDefinition.writeEnvironment(settings.data(), user, environment);
        }
    }

    /** Last, and without waiting for it: nothing needs it. But for a cache it has to have started. */
    private void startConsole(Secrets secrets) throws InterruptedException {
        if (!scope.console() || !Console.isBuilt(settings.checkout())) {
            return;
        }
        var console = observed(List.of(new Console(settings, secrets, services).part()))
                .getFirst();
        if (settings.training().contains(JvmOptions.CONSOLE)) {
            startAndAwait(List.of(console), runningConsole);
            return;
        }
        synchronized (this) {
            if (!stopped) {
                runningConsole.add(supervisor.start(console));
            }
        }
    }

    /** The parts as they are started: observed from inside, if that was asked for. */
    private List<ManagedProcess> observed(List<ManagedProcess> parts) {
        return observers == null ? parts : observers.observed(parts);
    }

    private void changed(List<ProcessStatus> parts) {
        progress.parts(parts);
        try {
            StatusFile.write(settings, started, parts);
        } catch (UncheckedIOException e) {
            // A full disk. The processes keep running, and there may be no other change after this one.
            if (statusOutOfDate.compareAndSet(false, true)) {
                LOG.error("status.json is out of date until it can be written", e);
                Thread.ofVirtual().name("status").start(this::publishAgain);
            }
        }
    }

    private void publishAgain() {
        try {
            TimeUnit.MILLISECONDS.sleep(STATUS_RETRY.toMillis());
            statusOutOfDate.set(false);
            supervisor.changed();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void checkPorts() {
        var taken = PlatformPorts.taken(PlatformPorts.inUse(settings, scope.services() ? services : List.of(), scope));
        if (!taken.isEmpty()) {
            throw new CommandFailedException(
                    String.join("; ", taken) + ": free it, move it, or move all with --port-offset N");
        }
    }

    private void checkBuilt() {
        String missing = scope.services() ? ServiceDefinition.missing(services, settings.checkout()) : "";
        if (!missing.isEmpty()) {
            throw new CommandFailedException("not built: " + missing + "; run ./orderly build");
        }
    }

    private void startAndAwait(List<ManagedProcess> parts, List<ProcessSupervisor.Supervised> running)
            throws InterruptedException {
        var started = new ArrayList<ProcessSupervisor.Supervised>();
        synchronized (this) {
            if (stopped) {
                throw new InterruptedException("stop requested");
            }
            parts.forEach(part -> started.add(supervisor.start(part)));
            running.addAll(started);
        }
        for (var part : started) {
            part.awaitReady();
        }
    }

    private void awaitRelays() throws InterruptedException {
        progress.step("the relays of the outboxes");
        try {
            connectors.awaitRunning(RELAYS_DEADLINE);
        } catch (TimeoutException e) {
            throw new CommandFailedException(
                    e.getMessage() + " after " + RELAYS_DEADLINE.toSeconds() + " s; see " + settings.log("launcher")
                            + " and " + settings.log(ConnectWorker.NAME),
                    e);
        }
    }

    /** Stops everything, in the reverse order of the start, and returns when no process runs; within 10 s. */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            if (stopped) {
                return;
            }
            stopped = true;
        }
        if (connectors != null) {
            connectors.close();
        }
        supervisor.stop(runningConsole); // what it has started goes with it
        if (certificates != null) {
            certificates.close();
        }
        supervisor.stop(runningObservers);
        if (observers != null) {
            observers.close();
        }
        supervisor.stop(runningServices);
        supervisor.stop(runningHelpers);
        if (kafka != null) {
            kafka.close();
        }
        supervisor.stop(runningBrokers);
        supervisor.stop(runningPostgres);
        LOG.info("everything is stopped");
        folder.close();
    }
}
