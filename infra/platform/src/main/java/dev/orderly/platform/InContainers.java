package dev.orderly.platform;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What {@code docker-compose.yml} needs beside the parts themselves, which Docker starts: {@code keep} and {@code doors}. */
final class InContainers {
    private static final Logger LOG = LoggerFactory.getLogger(InContainers.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(180);

    private InContainers() {}

    /** Returns when all services are ready, and a relay runs for each; the containers may only just have been started. */
    static void awaitReady(Settings settings, List<Service> services) throws InterruptedException {
        var waiting = new LinkedHashMap<String, Probe>();
        var connect = new Connect(settings);
        for (Service service : services) {
            waiting.put(service.name(), Probe.http(service.url("/q/health/ready")));
            var relay = connect.url("/connectors/" + service.database() + "-outbox/tasks/0/status");
            waiting.put("the relay of " + service.name(), Probe.http(relay));
        }
        Instant deadline = Instant.now().plus(PATIENCE);
        while (!waiting.isEmpty()) {
            for (var part : List.copyOf(waiting.entrySet())) {
                if (part.getValue().yes()) {
                    waiting.remove(part.getKey());
                }
            }
            if (!waiting.isEmpty()) {
                if (Instant.now().isAfter(deadline)) {
                    throw new StartFailure("not ready after " + PATIENCE.toSeconds() + " s: "
                            + String.join(", ", waiting.keySet()) + "; docker-compose ps tells more");
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
        }
    }

    private static List<Service> services() {
        return Service.all(Checkout.path(), Settings.Ports.USUAL.http());
    }

    /** Databases, roles and topics as the data files say, made once the servers answer; relays, for as long as it runs. */
    @Command(name = "keep", hidden = true, description = "In a container: make databases and topics, keep the relays.")
    static final class Keep implements Callable<Integer> {
        private static final int POSTGRES_PORT = 5432;

        @Option(names = "--postgres", defaultValue = "postgres", description = "Its host; it listens on 5432.")
        String postgres;

        @Option(names = "--connect", required = true, description = "Address of the worker.")
        URI connect;

        @Option(names = "--ready-file", required = true, description = "Is there while everything is, and only then.")
        Path readyFile;

        private boolean ready;

        @Override
        public Integer call() throws InterruptedException, IOException {
            Files.deleteIfExists(readyFile); // of the process before, if that was killed
            var names = services().stream().map(Service::database).toList();
            Path infra = Checkout.path().resolve("infra");
            String kafka = Secrets.variable("KAFKA_BOOTSTRAP_SERVERS");
            var databases = new Databases(infra, postgres, POSTGRES_PORT, Secrets.ofEnvironment(names));
            untilDone("databases and roles", () -> databases.create(names));
            untilDone("topics", () -> {
                try (var topics = new Topics(infra, kafka)) {
                    topics.create();
                }
            });
            try (var relays = new OutboxConnectors(
                    infra, connect, databases, names, _ -> "${env:" + Secrets.relayVariable() + "}")) {
                relays.start();
                while (true) {
                    report(relays.allRun());
                    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
                }
            }
        }

        private void report(boolean now) throws IOException {
            if (now == ready) {
                return;
            }
            ready = now;
            if (ready) {
                Files.createFile(readyFile);
            } else {
                Files.delete(readyFile);
            }
            LOG.info(ready ? "everything is there" : "not all relays run");
        }

        private interface Step {
            void run() throws InterruptedException;
        }

        private static void untilDone(String what, Step step) throws InterruptedException {
            while (true) {
                try {
                    step.run();
                    LOG.info("{} are there", what);
                    return;
                } catch (StartFailure | org.apache.kafka.common.KafkaException e) {
                    LOG.info("{}: not yet: {}", what, e.getMessage());
                    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
                }
            }
        }
    }

    /**
     * One address for each service, whichever and however many containers run it: a connection goes to one of those that
     * take it.
     */
    @Command(name = "doors", hidden = true, description = "In a container: pass connections on to the services.")
    static final class Doors implements Callable<Integer> {
        private static final int BEHIND = 8080; // where every service listens in its own container
        private static final int CONNECT_MILLIS = 1000;
        /** Through each door at once; more wait outside, or a crowd would cost the door its memory, and everybody their answers. */
        private static final int MOST_CALLERS = 500;

        private static final int BUFFER_BYTES = 8 * 1024;

        @Override
        public Integer call() throws IOException, InterruptedException {
            Security.setProperty("networkaddress.cache.ttl", "1"); // containers come and go
            Security.setProperty("networkaddress.cache.negative.ttl", "0");
            for (Service service : services()) {
                var door = new ServerSocket(service.httpPort());
                Thread.ofPlatform().name(service.name()).start(() -> open(door, service.name()));
            }
            new CountDownLatch(1).await();
            return 0;
        }

        private static void open(ServerSocket door, String service) {
            var room = new Semaphore(MOST_CALLERS);
            try (door) {
                while (true) {
                    room.acquireUninterruptibly();
                    var caller = door.accept();
                    Thread.startVirtualThread(() -> {
                        try {
                            pass(caller, service);
                        } finally {
                            room.release();
                        }
                    });
                }
            } catch (IOException e) {
                LOG.error("the door of {} is shut", service, e);
                System.exit(1); // and started again
            }
        }

        private static void pass(Socket caller, String service) {
            try (caller;
                    var behind = anyOf(service)) {
                var answers = Thread.startVirtualThread(() -> copy(behind, caller));
                copy(caller, behind);
                answers.join();
            } catch (IOException e) {
                LOG.info("nobody behind the door of {}: {}", service, e.toString());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        private static Socket anyOf(String service) throws IOException {
            var addresses = Arrays.asList(InetAddress.getAllByName(service));
            Collections.shuffle(addresses);
            IOException failure = null;
            for (InetAddress address : addresses) {
                var socket = new Socket();
                try {
                    socket.setTcpNoDelay(true);
                    socket.connect(new InetSocketAddress(address, BEHIND), CONNECT_MILLIS);
                    return socket;
                } catch (IOException e) {
                    socket.close();
                    failure = e;
                }
            }
            throw failure;
        }

        /** Until one end has nothing more to say, and tells the other so; a broken end breaks both. */
        private static void copy(Socket from, Socket to) {
            try {
                var buffer = new byte[BUFFER_BYTES];
                for (int read; (read = from.getInputStream().read(buffer)) >= 0; ) {
                    to.getOutputStream().write(buffer, 0, read);
                }
                to.shutdownOutput();
            } catch (IOException _) {
                close(from);
                close(to);
            }
        }

        private static void close(Socket socket) {
            try {
                socket.close();
            } catch (IOException _) {
                // as good as closed
            }
        }
    }
}
