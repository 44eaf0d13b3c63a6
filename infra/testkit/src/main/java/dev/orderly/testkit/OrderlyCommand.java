package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.platform.PlatformMain;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A command of {@code ./orderly} in a JVM of its own. It is killed when it is closed before its end. */
public final class OrderlyCommand implements AutoCloseable {
    private static final int MAX_MINUTES = 6;

    private final Process process;
    private final CompletableFuture<String> output;

    /** How a command ended; its output and its errors are one text. */
    public record Result(int exitCode, String output) {}

    private OrderlyCommand(ProcessBuilder builder) throws IOException {
        this.process = builder.start();
        this.output = CompletableFuture.supplyAsync(this::read, Thread::startVirtualThread);
    }

    /** Starts any command. */
    public static OrderlyCommand start(Map<String, String> environment, List<String> arguments) throws IOException {
        return new OrderlyCommand(builder("cli", "dev.orderly.cli.Main", environment, arguments));
    }

    /** Starts a command that starts a platform; these are in a module that is built before the services. */
    public static OrderlyCommand startPlatform(String... arguments) throws IOException {
        return new OrderlyCommand(platform(Map.of(), List.of(arguments)));
    }

    /** Runs any command to its end. */
    public static Result run(String... arguments) throws IOException, InterruptedException {
        try (var command = start(Map.of(), List.of(arguments))) {
            return command.end();
        }
    }

    static ProcessBuilder platform(Map<String, String> environment, List<String> arguments) {
        return builder("platform", PlatformMain.class.getName(), environment, arguments);
    }

    private static ProcessBuilder builder(
            String module, String mainClass, Map<String, String> environment, List<String> arguments) {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorderly.checkout=" + Checkout.path(),
                "-cp",
                Checkout.classPath(module),
                mainClass));
        command.addAll(arguments);
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        return builder;
    }

    private String read() {
        try (var reader = process.inputReader(UTF_8)) {
            var lines = new StringBuilder();
            reader.lines().forEach(line -> lines.append(line).append('\n'));
            return lines.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Closes its standard input, and returns when it has ended. */
    public Result end() throws IOException, InterruptedException {
        process.getOutputStream().close();
        if (!process.waitFor(MAX_MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new CommandFailedException("no end after " + MAX_MINUTES + " minutes: " + output.join());
        }
        return new Result(process.exitValue(), output.join());
    }

    @Override
    public void close() {
        process.destroy();
    }
}
