package dev.orderly.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** {@code ./orderly chaos} as a process of ours, which says in the end whether every promise was kept. */
final class FaultLab implements AutoCloseable {

    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final int LONGEST_MINUTES = 6;

    private final Process process;
    private final CompletableFuture<String> output;

    record Run(int code, String output) {}

    FaultLab(Map<String, String> environment, String... options) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Dorderly.checkout=" + CHECKOUT,
                "-cp",
                CHECKOUT.resolve("infra/cli/target/cli.jar") + ":" + CHECKOUT.resolve("infra/cli/target/lib") + "/*",
                "dev.orderly.cli.Main",
                "chaos"));
        command.addAll(List.of(options));
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        process = builder.start();
        output = CompletableFuture.supplyAsync(this::read);
    }

    private String read() {
        var lines = new StringBuilder();
        try (var reader = process.inputReader(UTF_8)) {
            reader.lines().forEach(line -> {
                System.out.println(line);
                lines.append(line).append('\n');
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return lines.toString();
    }

    boolean runs() {
        return process.isAlive();
    }

    /** Tells it that whoever breaks things is done, and waits for its judgement. */
    Run end() throws IOException, InterruptedException {
        process.getOutputStream().close();
        assertThat(process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES)).isTrue();
        return new Run(process.exitValue(), output.join());
    }

    @Override
    public void close() {
        process.destroy();
    }
}
