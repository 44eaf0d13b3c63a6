package dev.orderly.platform;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands that start the platform and stay: {@code demo}, {@code up}, {@code platform}. */
final class LaunchCommands {
    private LaunchCommands() {}

    /** What they have in common: where, on which ports, and that a stop asked for is orderly. */
    abstract static class Launch implements Callable<Integer> {
        private static final int HIGHEST_PORT = 65535;

        @Spec
        CommandSpec spec;

        @Option(names = "--fresh", description = "Empty the state folder first: no orders, no topics, new passwords.")
        boolean fresh;

        @Option(
                names = "--brokers",
                paramLabel = "N",
                defaultValue = "3",
                description = "Kafka brokers: 3, or 1 for small machines. (default: ${DEFAULT-VALUE})")
        int brokers;

        @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
        Path data;

        @Option(names = "--port-offset", paramLabel = "N", defaultValue = "0", description = "Added to every port.")
        int offset;

        @Option(names = "--postgres-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
        int postgresPort = Settings.Ports.USUAL.postgres();

        @Option(
                names = "--kafka-port",
                paramLabel = "PORT",
                description = "Of the first broker; controllers are 100 above. (default: ${DEFAULT-VALUE})")
        int kafkaPort = Settings.Ports.USUAL.kafka();

        @Option(names = "--connect-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
        int connectPort = Settings.Ports.USUAL.connect();

        @Option(names = "--smtp-port", paramLabel = "PORT", description = "(default: ${DEFAULT-VALUE})")
        int smtpPort = Settings.Ports.USUAL.smtp();

        @Option(
                names = "--http-port",
                paramLabel = "PORT",
                description = "Of the first service. (default: ${DEFAULT-VALUE})")
        int httpPort = Settings.Ports.USUAL.http();

        @Option(
                names = "--free-ports",
                description = "Find free ports instead; run/status.json and run/*.env in the state folder name them.")
        boolean freePorts;

        /** For whoever starts us as a child and must not leave us behind. */
        @Option(names = "--stop-on-eof", hidden = true)
        boolean stopOnEof;

        private final Object endLock = new Object();
        private Platform platform;
        private boolean stopIsSuccess;
        private Integer ended;

        abstract Platform.Scope scope();

        /** With everything up: what this command is for. Returns its exit code, or never. */
        abstract int whenReady(Settings settings, Platform platform, String elapsed) throws InterruptedException;

        /** Whether being stopped, once everything is up, is the expected end. */
        boolean endsWhenStopped() {
            return true;
        }

        @Override
        public Integer call() throws InterruptedException {
            Settings settings = settings();
            var folder = StateFolder.open(settings.data(), fresh, settings.brokers());
            // Only now: the log is in that folder, and logging begins with the next class.
            System.setProperty("orderly.log", settings.log("launcher").toString());
            var progress = new Progress(System.out);
            platform = new Platform(settings, scope(), folder, progress);
            Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "stop"));
            if (stopOnEof) {
                Thread.ofPlatform().daemon().name("stop-on-eof").start(Launch::exitAtEndOfInput);
            }
            int code = 1;
            try {
                try (progress) {
                    platform.start();
                }
                synchronized (endLock) {
                    stopIsSuccess = endsWhenStopped();
                }
                code = whenReady(settings, platform, progress.elapsed());
            } finally {
                synchronized (endLock) {
                    ended = code;
                }
            }
            return code;
        }

        /** The shutdown hook: the one way out, for an end, a failure and a signal alike. */
        private void stop() {
            int code;
            boolean asked;
            synchronized (endLock) {
                asked = ended == null;
                code = asked ? (stopIsSuccess ? 0 : 1) : ended;
            }
            try {
                if (asked) {
                    System.out.println(stopIsSuccess ? "stopping" : "stopped before the end");
                }
                platform.close();
            } catch (IOException | RuntimeException e) {
                LoggerFactory.getLogger(Launch.class).error("the stop failed", e);
                code = 1;
            }
            System.out.flush();
            Runtime.getRuntime().halt(code); // a signal would make it 130 or 143
        }

        private static void exitAtEndOfInput() {
            try {
                while (System.in.read() >= 0) {
                    // whoever started us only keeps the pipe open
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } finally {
                System.exit(0); // runs stop()
            }
        }

        static void untilStopped() throws InterruptedException {
            new CountDownLatch(1).await();
        }

        final Settings settings() {
            if (brokers != 1 && brokers != 3) {
                throw new ParameterException(spec.commandLine(), "--brokers must be 1 or 3");
            }
            var ports = new Settings.Ports(
                            postgresPort,
                            kafkaPort,
                            connectPort,
                            smtpPort,
                            Settings.Ports.USUAL.mailApi(),
                            Settings.Ports.USUAL.sms(),
                            Settings.Ports.USUAL.gateway(),
                            httpPort)
                    .plus(offset);
            for (int port : List.of(ports.postgres(), ports.kafka(), ports.connect(), ports.smtp(), ports.http())) {
                if (port < 1 || port > HIGHEST_PORT) {
                    throw new ParameterException(spec.commandLine(), "no such port: " + port);
                }
            }
            var settings = new Settings(Checkout.path(), Checkout.data(data), brokers, ports, Set.of());
            return freePorts ? PlatformPorts.onFreePorts(settings) : settings;
        }
    }

    /** {@code ./orderly demo}. */
    @Command(name = "demo", description = "Start everything, place sample orders, show what became of them, stay up.")
    static final class Demo extends Launch {
        @Option(names = "--once", description = "Stop after the sample orders: 0 when every outcome was right, else 1.")
        boolean once;

        @Option(
                names = "--compose",
                description =
                        "Start nothing: place the sample orders with what docker-compose up has started, on its ports.")
        boolean compose;

        @Override
        public Integer call() throws InterruptedException {
            if (!compose) {
                return super.call();
            }
            var settings = new Settings(Checkout.path(), Checkout.data(data), brokers, ComposeFile.ports(), Set.of());
            var services = Service.all(settings.checkout(), settings.ports().http()).stream()
                    .map(s -> new Service(s.name(), s.database(), ComposeFile.port(s.name())))
                    .toList();
            InContainers.awaitReady(settings, services);
            return new SampleOrders(settings, services, System.out).run() ? 0 : 1;
        }

        @Override
        Platform.Scope scope() {
            return Platform.Scope.ALL;
        }

        @Override
        boolean endsWhenStopped() {
            return !once;
        }

        @Override
        int whenReady(Settings settings, Platform platform, String elapsed) throws InterruptedException {
            System.out.println("everything is ready after " + elapsed);
            boolean right = new SampleOrders(settings, platform.services(), System.out).run();
            if (once) {
                return right ? 0 : 1;
            }
            System.out.println("\nCtrl-C stops it all.");
            untilStopped();
            return 0;
        }
    }

    /** {@code ./orderly up}. */
    @Command(name = "up", description = "Start platform and services, and stay up.")
    static final class Up extends Launch {
        @Override
        Platform.Scope scope() {
            return Platform.Scope.ALL;
        }

        @Override
        int whenReady(Settings settings, Platform platform, String elapsed) throws InterruptedException {
            System.out.println(readyLine(settings, elapsed));
            untilStopped();
            return 0;
        }
    }

    /** {@code ./orderly platform}. */
    @Command(
            name = "platform",
            description = "Start PostgreSQL, Kafka, Connect, mail and the payment gateway without the services.")
    static final class PlatformOnly extends Launch {
        @Option(names = "--no-connect", description = "Without Kafka Connect: nothing relays the outboxes.")
        boolean noConnect;

        @Option(names = "--no-mail", description = "Without the mail sink and the SMS provider.")
        boolean noMail;

        @Option(names = "--no-gateway", description = "Without the payment gateway.")
        boolean noGateway;

        @Override
        Platform.Scope scope() {
            return new Platform.Scope(false, !noConnect, !noMail, !noGateway);
        }

        @Override
        int whenReady(Settings settings, Platform platform, String elapsed) throws InterruptedException {
            System.out.println(readyLine(settings, elapsed));
            untilStopped();
            return 0;
        }
    }

    /** Programs wait for this line. */
    private static String readyLine(Settings settings, String elapsed) {
        return "ready after %s: postgres %s:%d, kafka %s, state in %s"
                .formatted(
                        elapsed,
                        Settings.HOST,
                        settings.ports().postgres(),
                        settings.bootstrapServers(),
                        settings.data());
    }
}
