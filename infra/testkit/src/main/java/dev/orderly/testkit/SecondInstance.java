package dev.orderly.testkit;

import dev.orderly.platform.config.JvmOptions;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * One more process of a service, that joins its consumer groups and leaves them again: on a port of its own, with all that the
 * first was told. It ends with this process, whatever that ends by.
 */
public final class SecondInstance implements AutoCloseable {

    private static final int STOP_TENTHS = 100;

    private final RunningPlatform system;
    private final String service;
    private final URI ready;
    private final Process guard;
    private volatile boolean wasReady;

    /** @param flags for the JVM, beyond those that all services have */
    public SecondInstance(RunningPlatform system, String service, String... flags) throws IOException {
        this.system = system;
        this.service = service;
        int port = freePort();
        this.ready = URI.create("http://localhost:" + port + "/q/health/ready");
        var command = new ArrayList<>(List.of(
                "bash",
                system.guard().toString(),
                system.data().resolveSibling("second-" + port + ".pid").toString(),
                "TERM",
                String.valueOf(STOP_TENTHS)));
        command.addAll(JvmOptions.SERVICE.command(system.infra()));
        command.addAll(JvmOptions.using(JvmOptions.archive(system.target(service), service)));
        command.addAll(List.of(flags));
        command.addAll(List.of("-jar", system.jar(service).toString()));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(system.data()
                        .resolve("log")
                        .resolve(service + "-second.log")
                        .toFile()));
        builder.environment().putAll(system.environment(service));
        builder.environment().put("HTTP_PORT", String.valueOf(port));
        this.guard = builder.start();
    }

    public String service() {
        return service;
    }

    /** False when it was not ready in time, or has ended. */
    public boolean awaitReady(Duration atMost) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (guard.isAlive() && System.nanoTime() < deadline) {
            if (system.ask("GET", ready, null).isPresent()) {
                wasReady = true;
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
        return false;
    }

    /** Returns when the time is over, or it has ended before. */
    public void await(Duration time) throws InterruptedException {
        guard.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Its JVM, as soon as it has been ready. */
    public Optional<ProcessHandle> jvm() {
        return wasReady
                ? processes()
                        .filter(process -> process.info().command().orElse("").endsWith("java"))
                        .findFirst()
                : Optional.empty();
    }

    public void kill() {
        processes().forEach(ProcessHandle::destroyForcibly);
    }

    private Stream<ProcessHandle> processes() {
        return guard.descendants();
    }

    /** Asks it to stop, and returns when it has; when this thread is interrupted, it stops by itself. */
    @Override
    public void close() throws IOException {
        guard.getOutputStream().close();
        try {
            guard.waitFor();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
