package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.StatusFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A launcher as a process of its own, as a user starts it: {@code platform --brokers 1} and what else is said. */
final class PlatformProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path data;
    private final Process process;
    private final List<String> lines = new ArrayList<>();

    private PlatformProcess(Path data, Process process) {
        this.data = data;
        this.process = process;
    }

    /** Starts it and does not wait. */
    static PlatformProcess start(Path data, String... options) throws IOException {
        var command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx96m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dorderly.checkout=" + Checkout.path(),
                "-cp",
                Checkout.classPath("platform"),
                PlatformMain.class.getName(),
                "platform",
                "--brokers=1",
                "--data=" + data,
                "--stop-on-eof")); // so that not even a killed test leaves it running
        command.addAll(List.of(options));
        return new PlatformProcess(
                data, new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** Returns when it says that it is ready. */
    PlatformProcess awaitReady() throws IOException {
        var reader = reader();
        String line = reader.readLine();
        while (line != null && !line.startsWith("ready")) {
            lines.add(line);
            line = reader.readLine();
        }
        assertThat(line).as("the ready line, after %s", lines).isNotNull();
        return this;
    }

    /** Waits for its end; everything it said. */
    List<String> awaitEnd() throws IOException, InterruptedException {
        reader().lines().forEach(lines::add);
        assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        return lines;
    }

    private BufferedReader reader() {
        return process.inputReader(StandardCharsets.UTF_8);
    }

    int exitCode() {
        return process.exitValue();
    }

    StatusFile status() {
        return StatusFile.read(data).orElseThrow();
    }

    StatusFile.Part part(String name) {
        return status().parts().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Kills the parts as nobody should, all at once, and returns when the supervisor has them back. */
    void killAndAwaitReturn(String... names) {
        var before = Stream.of(names).map(this::part).toList();
        before.forEach(p -> ProcessHandle.of(p.pid()).orElseThrow().destroyForcibly());
        await().atMost(PATIENCE)
                .until(() -> before.stream().allMatch(p -> {
                    var now = part(p.name());
                    return now.state() == ProcessStatus.State.READY && now.restarts() == p.restarts() + 1;
                }));
    }

    /** It and everything it has started. */
    List<ProcessHandle> processes() {
        var all = new ArrayList<>(process.descendants().toList());
        all.add(process.toHandle());
        return all;
    }

    void kill() {
        process.destroyForcibly();
    }

    Connection connect(String database, String role) throws SQLException {
        String password = Secrets.of(data, List.of()).of(role);
        return DriverManager.getConnection(
                "jdbc:postgresql://%s:%d/%s"
                        .formatted(PlatformSettings.HOST, status().ports().postgres(), database),
                role,
                password);
    }

    String bootstrapServers() {
        return PlatformSettings.HOST + ":" + status().ports().kafka();
    }

    /** Asks it to stop, as closing the terminal would, and waits. */
    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        process.onExit()
                .completeOnTimeout(process, PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        process.destroyForcibly(); // nothing to do, normally
    }
}
