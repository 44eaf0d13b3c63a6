package dev.orderly.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.orderly.platform.Console;
import dev.orderly.platform.config.Certificates;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.StateDirectory;
import dev.orderly.platform.process.ProcessStatus;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/** A platform as a child process, in a state folder of its own; driven by its status file and signals. */
public class RunningPlatform extends PlatformClient {

    /** The consumer groups of the topic of orders, each with the service it belongs to. */
    public static final Map<String, String> GROUPS = Map.of(
            "inventory-consumer-group", "inventory-service",
            "payment-consumer-group", "payment-service",
            "order-consumer-group", "order-service",
            "order-view-consumer-group", "order-service",
            "notification-consumer-group", "notification-service");

    private static final Duration START = Duration.ofSeconds(300);
    private static final Duration RESTART = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(20);
    private static final int MAX_STARTS = 3;

    private final Path data;
    private final Map<String, String> environment;
    private final List<String> command;

    private Path temporary;
    private Process launcher;

    /**
     * @param environment settings of the services, by names that begin with ORDERLY_
     * @param command of {@code ./orderly}: "up" or "platform", and its options
     */
    public RunningPlatform(Path data, Map<String, String> environment, String... command) {
        this.data = data;
        this.environment = environment;
        this.command = List.of(command);
    }

    /** One that this process, or another, has started in this folder, and will stop. */
    public static RunningPlatform attach(Path data) {
        var platform = new RunningPlatform(data, Map.of());
        platform.readPorts();
        return platform;
    }

    /** One whose state folder is deleted when it is closed. */
    public static RunningPlatform temporary(Map<String, String> environment, String... command) throws IOException {
        var folder = Files.createTempDirectory("orderly-test-");
        var platform = new RunningPlatform(folder.resolve("platform"), environment, command);
        platform.temporary = folder;
        return platform;
    }

    public Path data() {
        return data;
    }

    public void start() throws InterruptedException {
        launch(command);
    }

    /** For a platform without a status file. */
    final void usePorts(ToIntFunction<String> port) {
        for (var parts : List.of(SERVICES, BROKERS, List.of("postgres", "connect", GATEWAY, MAIL_API, IDENTITY))) {
            parts.forEach(part -> ports.put(part, port.applyAsInt(part)));
        }
    }

    /** Where clients of the brokers do not log in, if it was started with {@code --open-kafka}. */
    public String openBootstrapServers() {
        return PlatformSettings.HOST + ":" + status().ports().open(1);
    }

    private void readPorts() {
        parts().forEach(part -> ports.put(part.name(), part.port()));
        var simulators = status().ports();
        ports.putAll(Map.of(
                MAIL_API, simulators.mailApi(),
                SMS, simulators.sms(),
                GATEWAY, simulators.gateway(),
                IDENTITY, simulators.identity()));
    }

    /** Kills every process at once, and starts all again. The disk's own cache survives. */
    public void powerCut() throws InterruptedException {
        var pids = new ArrayList<Long>();
        launcher.destroyForcibly();
        parts().stream().map(ProcessStatus::pid).filter(pid -> pid != 0).forEach(pid -> {
            pids.add(pid);
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        });
        launcher.waitFor();
        Await.until(STOP, "the end of all processes", () -> pids.stream().noneMatch(RunningPlatform::runs));
        int offset = ports.get("postgres") - PlatformSettings.Ports.DEFAULT.postgres();
        launch(commandAgain(command, offset));
    }

    /** The same for the state that there is; where it looked for free ports, on those that it found. */
    static List<String> commandAgain(List<String> command, int portOffset) {
        return command.stream()
                .filter(option -> !option.equals("--fresh"))
                .map(option -> option.equals("--free-ports") ? "--port-offset=" + portOffset : option)
                .toList();
    }

    private static boolean runs(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    /** Tries again when a busy machine is too slow for the launcher's own deadlines. */
    private void launch(List<String> arguments) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                launchOnce(arguments);
                readPorts();
                return;
            } catch (CommandFailedException e) {
                killLauncher();
                if (attempt == MAX_STARTS) {
                    throw e;
                }
            }
        }
    }

    private void launchOnce(List<String> options) throws InterruptedException {
        Path log = data.resolveSibling(data.getFileName() + ".log");
        var arguments = new ArrayList<>(options);
        arguments.addAll(List.of("--stop-on-eof", "--data=" + data));
        try {
            Files.createDirectories(data.getParent());
            launcher = OrderlyCommand.platform(environment, arguments)
                    .redirectOutput(log.toFile())
                    .start();
            Await.until(START, "start of the platform, see " + log, () -> !launcher.isAlive() || saysReady(log));
            if (!saysReady(log)) {
                throw new CommandFailedException("the platform did not start:\n" + Files.readString(log));
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot start the platform in " + data + ": " + e, e);
        }
    }

    private static boolean saysReady(Path log) throws IOException {
        return Files.readString(log).lines().anyMatch(line -> line.startsWith("ready"));
    }

    private StatusFile status() {
        return StatusFile.read(data)
                .orElseThrow(() -> new CommandFailedException("no platform was started in " + data));
    }

    public List<ProcessStatus> parts() {
        return status().parts();
    }

    /** Each part that is not ready, with its state; but for the console, which nothing needs. */
    public List<String> brokenParts() throws InterruptedException {
        return parts().stream()
                .filter(part -> !part.isReady() && !part.name().equals(Console.NAME))
                .map(part -> part.name() + " is " + part.state())
                .toList();
    }

    /** The parts that have written logs. */
    public List<String> logged() throws IOException {
        try (var logs = Files.list(data.resolve("log"))) {
            return logs.map(log -> log.getFileName().toString().replaceAll("\\.log(\\.old)?$", ""))
                    .distinct()
                    .toList();
        }
    }

    /** What a part has written: its current log, after the one before the last rotation. */
    public List<String> log(String part) throws IOException, InterruptedException {
        var lines = new ArrayList<String>();
        for (String suffix : List.of(".log.old", ".log")) {
            var log = data.resolve("log").resolve(part + suffix);
            if (Files.exists(log)) {
                lines.addAll(Files.readAllLines(log, ISO_8859_1)); // which no byte is invalid in
            }
        }
        return lines;
    }

    /** A part that the launcher has not started yet counts as down. */
    public ProcessStatus part(String name) {
        return parts().stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .orElseGet(() -> new ProcessStatus(name, ProcessStatus.State.STOPPED, 0, 0, "", ports.get(name), ""));
    }

    /** KILL; or STOP, after which the part keeps its connections and answers nothing until CONT. */
    public void signal(String signal, String part) throws InterruptedException, IOException {
        signal(signal, part(part).pid());
    }

    /** Sends a signal to a process, if it is still there. */
    public static void signal(String signal, long pid) throws InterruptedException, IOException {
        if (pid == 0) {
            return; // to kill(1) that is the whole process group of the caller
        }
        new ProcessBuilder("kill", "-" + signal, String.valueOf(pid))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** Kills a part. Returns it as it was, for {@link #awaitRestart}. */
    public ProcessStatus kill(String name) throws InterruptedException, IOException {
        var former = part(name);
        signal("KILL", former.pid());
        return former;
    }

    /** Waits until the supervisor has replaced the process of a part. */
    public void awaitRestart(ProcessStatus former) throws InterruptedException {
        Await.until(RESTART, "restart of " + former.name(), () -> {
            var now = part(former.name());
            return now.isReady() && now.pid() != former.pid();
        });
    }

    /** The launcher, and all that it has started. */
    public List<ProcessHandle> processes() {
        return Stream.concat(Stream.of(launcher.toHandle()), launcher.descendants())
                .toList();
    }

    @Override
    public String secret(String name) {
        var secrets = new Properties();
        try (var reader = Files.newBufferedReader(data.resolve("secrets.properties"))) {
            secrets.load(reader);
        } catch (IOException e) {
            throw new CommandFailedException("cannot read the platform's passwords: " + e, e);
        }
        return secrets.getProperty(name);
    }

    @Override
    public Certificates certificates() {
        return Certificates.in(data);
    }

    /** Address and passwords of a service, and the settings given here: what another instance of it needs. */
    public Map<String, String> environment(String service) throws IOException {
        var environment = new HashMap<>(this.environment);
        for (String line : Files.readAllLines(data.resolve("run").resolve(service + ".env"))) {
            environment.put(line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1));
        }
        return environment;
    }

    /** Stops everything, as the end of a terminal does. Returns the launcher's exit code. */
    public int stop() throws InterruptedException, IOException {
        launcher.getOutputStream().close();
        if (!launcher.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
            launcher.destroyForcibly(); // its parts end with it
        }
        return launcher.waitFor();
    }

    private void killLauncher() {
        if (launcher != null) {
            launcher.destroyForcibly(); // its parts end with it
        }
    }

    @Override
    public void close() {
        super.close();
        try {
            if (launcher != null) {
                stop();
            }
        } catch (IOException | InterruptedException e) {
            killLauncher();
        }
        try {
            if (temporary != null) {
                StateDirectory.delete(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
