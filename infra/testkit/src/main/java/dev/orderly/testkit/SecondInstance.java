package dev.orderly.testkit;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.JvmOptions;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A second instance of a service, that joins its consumer groups and leaves them again: on ports of its
 * own, with the environment of the first. A guard process stops it when this process ends, also when that is
 * killed.
 */
public final class SecondInstance implements AutoCloseable {

    private static final int STOP_TENTHS = 100;

    private final RunningPlatform system;
    private final String service;
    private final int port;
    private final URI ready;
    private final Process guard;
    private volatile boolean wasReady;

    /** @param flags for the JVM, beyond those that all services have */
    public SecondInstance(RunningPlatform system, String service, String... flags) throws IOException {
        this(system, service, Checkout.path().resolve(service).resolve("target"), flags);
    }

    /** @param target of the service's build, or of another version of it */
    public SecondInstance(RunningPlatform system, String service, Path target, String... flags) throws IOException {
        this.system = system;
        this.service = service;
        this.port = freePort();
        int management = freePort();
        this.ready = URI.create("http://" + PlatformSettings.HOST + ":" + management + "/q/health/ready");
        var command = new ArrayList<>(List.of(
                "bash",
                Checkout.path().resolve("infra/platform/guard.sh").toString(),
                system.data().resolveSibling("second-" + port + ".pid").toString(),
                "TERM",
                String.valueOf(STOP_TENTHS)));
        command.addAll(JvmOptions.SERVICE.command(Checkout.path().resolve("infra")));
        command.addAll(JvmOptions.using(JvmOptions.aotCache(target, service)));
        command.addAll(List.of(flags));
        command.addAll(
                List.of("-jar", target.resolve("quarkus-app/quarkus-run.jar").toString()));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(system.data()
                        .resolve("log")
                        .resolve(service + "-second.log")
                        .toFile()));
        builder.environment().putAll(system.environment(service));
        builder.environment().put("HTTP_PORT", String.valueOf(port));
        builder.environment().put("MANAGEMENT_PORT", String.valueOf(management));
        this.guard = builder.start();
    }

    public String service() {
        return service;
    }

    public URI url(String path) {
        return URI.create("http://" + PlatformSettings.HOST + ":" + port + path);
    }

    /** Returns false when it was not ready in time, or has ended. */
    public boolean awaitReady(Duration atMost) throws InterruptedException {
        Await.within(atMost, () -> {
            wasReady = system.ask("GET", ready, null).isPresent();
            return wasReady || !guard.isAlive();
        });
        return wasReady;
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

    /** Asks it to stop, and returns when it has; an interrupted caller does not wait. */
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
