package dev.orderly.platform;

import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.kafka.KafkaUsers;
import dev.orderly.platform.observe.TraceServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of commands that start a platform and stay, and an orderly stop. */
public abstract class StartCommand implements Callable<Integer> {

    @Spec
    CommandSpec spec;

    @Option(names = "--fresh", description = "Empty the state folder first: no orders, no topics, new passwords.")
    protected boolean fresh;

    @Option(
            names = "--brokers",
            paramLabel = "N",
            defaultValue = "3",
            description = "Kafka brokers: 3, or 1 for small machines. (default: ${DEFAULT-VALUE})")
    protected int brokers;

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    protected Path data;

    @Option(names = "--port-offset", paramLabel = "N", defaultValue = "0", description = "Added to every port.")
    int offset;

    @Option(names = "--postgres-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
    int postgresPort = PlatformSettings.Ports.DEFAULT.postgres();

    @Option(
            names = "--kafka-port",
            paramLabel = "PORT",
            description = "Of the first broker; other listeners are 100 and 200 above. (default: ${DEFAULT-VALUE})")
    int kafkaPort = PlatformSettings.Ports.DEFAULT.kafka();

    @Option(
            names = "--open-kafka",
            arity = "0..1",
            paramLabel = "PORT",
            defaultValue = "0",
            fallbackValue = "9092",
            description = "One more listener of each broker, without a login: any program on this machine may read the"
                    + " events of orders. Of the first broker. (default: none; without PORT ${FALLBACK-VALUE})")
    int openKafkaPort;

    @Option(
            names = "--event-format",
            paramLabel = "FORMAT",
            defaultValue = "${env:ORDERLY_EVENT_FORMAT:-json}",
            description = "Of what the services publish: json, avro or protobuf; the latter two with a schema registry,"
                    + " which the first start downloads. (default: $ORDERLY_EVENT_FORMAT, or json)")
    String eventFormat;

    @Option(
            names = "--tls",
            description = "Encrypt the connections to PostgreSQL and the brokers, with certificates of its own.")
    boolean tls;

    @Option(names = "--connect-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
    int connectPort = PlatformSettings.Ports.DEFAULT.connect();

    @Option(names = "--smtp-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
    int smtpPort = PlatformSettings.Ports.DEFAULT.smtp();

    @Option(
            names = "--http-port",
            paramLabel = "PORT",
            description = "Of the first service; management is 1000 above. (default: ${DEFAULT-VALUE})")
    int httpPort = PlatformSettings.Ports.DEFAULT.http();

    @Option(
            names = "--free-ports",
            description = "Find free ports instead; run/status.json and run/*.env in the state folder name them.")
    boolean freePorts;

    @Option(
            names = "--observe",
            description =
                    "With Prometheus, Alertmanager and exporters, which have to be installed, and a trace server.")
    protected boolean observe;

    @Option(
            names = "--erp-crm",
            description = "With an ERP and a CRM database that Kafka Connect keeps up to date: one more process.")
    protected boolean erpCrm;

    /** For a parent process that must not leave this one running. */
    @Option(names = "--stop-on-eof", hidden = true)
    boolean stopOnEof;

    private final Object endLock = new Object();
    private Platform platform;
    private boolean stopIsSuccess;
    private Integer ended;

    /** What to start. */
    protected abstract Platform.Scope scope();

    /** Called when everything is ready. Returns the exit code, or never. */
    protected abstract int whenReady(PlatformSettings settings, Platform platform, String elapsed)
            throws InterruptedException;

    /** Whether being stopped, once everything is ready, is the expected end. */
    protected boolean endsWhenStopped() {
        return true;
    }

    @Override
    public Integer call() throws InterruptedException {
        PlatformSettings settings = settings();
        var folder = StateDirectory.open(settings.data(), fresh, settings.brokers());
        // Only now: the log is in that directory, and logging begins with the next class.
        System.setProperty("orderly.log", settings.log("launcher").toString());
        prepareCertificates(settings);
        var progress = new ConsoleProgress(System.out);
        platform = new Platform(settings, scope().observed(observe).synchronizing(erpCrm), folder, progress);
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "stop"));
        if (stopOnEof) {
            Thread.ofPlatform().daemon().name("stop-on-eof").start(StartCommand::exitAtEndOfInput);
        }
        int code = 1;
        try {
            try (progress) {
                platform.start();
            }
            synchronized (endLock) {
                stopIsSuccess = endsWhenStopped();
            }
            if (observe) {
                System.out.printf(
                        "Prometheus     http://%1$s:%2$d/alerts%nAlertmanager   http://%1$s:%3$d/%n",
                        PlatformSettings.HOST,
                        settings.ports().prometheus(),
                        settings.ports().alertmanager());
                if (TraceServer.isWanted()) {
                    System.out.println("Traces         " + TraceServer.url(settings.ports()));
                }
            }
            code = whenReady(settings, platform, progress.elapsed());
        } finally {
            synchronized (endLock) {
                ended = code;
            }
        }
        return code;
    }

    /** New ones at each start, so that none expires but on a platform that runs for longer than they last. */
    private void prepareCertificates(PlatformSettings settings) throws InterruptedException {
        var certificates = Certificates.in(settings.data());
        if (tls) {
            var users = KafkaUsers.read(settings.infra());
            certificates.issue(settings.infra(), users.certificateHolders(settings.brokers()));
        } else {
            certificates.delete();
        }
    }

    /** The shutdown hook: the one way out, for an end, a failure and a signal alike. */
    private void stop() {
        int code;
        boolean requested;
        synchronized (endLock) {
            requested = ended == null;
            code = requested ? (stopIsSuccess ? 0 : 1) : ended;
        }
        try {
            if (requested) {
                System.out.println(stopIsSuccess ? "stopping" : "stopped before the end");
            }
            platform.close();
        } catch (IOException | RuntimeException e) {
            LoggerFactory.getLogger(StartCommand.class).error("the stop failed", e);
            code = 1;
        }
        System.out.flush();
        Runtime.getRuntime().halt(code); // a signal would make it 130 or 143
    }

    private static void exitAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                // the parent process only keeps the pipe open
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            System.exit(0); // runs stop()
        }
    }

    /** Never returns: the shutdown hook ends the process. */
    protected static void untilStopped() throws InterruptedException {
        new CountDownLatch(1).await();
    }

    final PlatformSettings settings() {
        if (brokers != 1 && brokers != 3) {
            throw new ParameterException(spec.commandLine(), "--brokers must be 1 or 3");
        }
        if (!PlatformSettings.EVENT_FORMATS.contains(eventFormat)) {
            throw new ParameterException(
                    spec.commandLine(), "--event-format must be json, avro or protobuf, not " + eventFormat);
        }
        var ports = new PlatformSettings.Ports(
                        postgresPort,
                        kafkaPort,
                        openKafkaPort,
                        connectPort,
                        smtpPort,
                        PlatformSettings.Ports.DEFAULT.mailApi(),
                        PlatformSettings.Ports.DEFAULT.sms(),
                        PlatformSettings.Ports.DEFAULT.gateway(),
                        PlatformSettings.Ports.DEFAULT.identity(),
                        httpPort)
                .plus(offset);
        var settings =
                new PlatformSettings(Checkout.path(), Checkout.data(data), brokers, ports, Set.of(), eventFormat);
        try {
            if (freePorts) {
                return PlatformPorts.onFreePorts(settings);
            }
            var services = scope().services()
                    ? ServiceDefinition.all(Checkout.path(), ports.http())
                    : List.<ServiceDefinition>of();
            PlatformPorts.inUse(settings, services, scope().observed(observe).synchronizing(erpCrm));
            return settings;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    /** Programs wait for this line. */
    static String readyLine(PlatformSettings settings, String elapsed) {
        return "ready after %s: postgres %s:%d, kafka %s, state in %s"
                .formatted(
                        elapsed,
                        PlatformSettings.HOST,
                        settings.ports().postgres(),
                        settings.bootstrapServers(),
                        settings.data());
    }
}
