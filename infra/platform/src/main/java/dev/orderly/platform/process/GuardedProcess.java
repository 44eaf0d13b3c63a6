package dev.orderly.platform.process;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A program under {@code guard.sh}, so that it ends with this process, however this process ends. This class
 * itself is for one that runs once, to its end, such as to create files.
 */
public final class GuardedProcess {
    private static final ManagedProcess.Stop STOP = ManagedProcess.Stop.term(Duration.ofSeconds(1));

    private final String what;
    private final Path log;
    private final Process guard;

    private GuardedProcess(String what, Path log, Process guard) {
        this.what = what;
        this.log = log;
        this.guard = guard;
    }

    /**
     * Returns at once.
     *
     * @param what it is, in messages
     * @param pidFile in the folder of those
     * @param log is added to
     */
    public static GuardedProcess start(
            PlatformSettings settings, String what, String pidFile, Path log, List<String> command) {
        try {
            return new GuardedProcess(what, log, launch(settings, settings.run(pidFile), STOP, log, command, Map.of()));
        } catch (IOException e) {
            throw new CommandFailedException("cannot run " + what + ": " + e.getMessage(), e);
        }
    }

    /**
     * Returns when it has ended with success.
     *
     * @throws CommandFailedException when it has failed, or not ended in this time; then it is stopped
     */
    public void awaitSuccess(Duration deadline) throws InterruptedException {
        boolean ended = guard.waitFor(deadline.toSeconds(), TimeUnit.SECONDS);
        try {
            guard.getOutputStream().close();
        } catch (IOException e) {
            throw new CommandFailedException(what + " cannot be stopped: " + e.getMessage(), e);
        }
        if (!ended) {
            throw new CommandFailedException(
                    what + " did not end within " + deadline.toSeconds() + " s; its log is " + log);
        }
        if (guard.exitValue() != 0) {
            throw new CommandFailedException(what + " failed; its log is " + log
                    + ErrorLogSummary.of(log).map(line -> ", and says: " + line).orElse(""));
        }
    }

    /** Returns the guard, which ends the program when its input is closed. */
    static Process launch(
            PlatformSettings settings,
            Path pidFile,
            ManagedProcess.Stop stop,
            Path log,
            List<String> command,
            Map<String, String> environment)
            throws IOException {
        var guarded = new ArrayList<>(List.of(
                "bash",
                settings.infra().resolve("platform/guard.sh").toString(),
                pidFile.toString(),
                stop.signal(),
                String.valueOf(stop.grace().toMillis() / 100)));
        guarded.addAll(command);
        var builder = new ProcessBuilder(guarded)
                .directory(settings.data().toFile())
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log.toFile()));
        builder.environment().keySet().retainAll(ManagedProcess.INHERITED);
        builder.environment().putAll(environment);
        return builder.start();
    }
}
