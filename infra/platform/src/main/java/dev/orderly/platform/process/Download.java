package dev.orderly.platform.process;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Of what a platform need not have, and which therefore comes when it is first asked for. */
public final class Download {
    private static final Duration DEADLINE = Duration.ofMinutes(15);

    private Download() {}

    /**
     * Runs a program that downloads, with the JDK of this process.
     *
     * @param folder where it runs
     * @param log gets what it prints
     * @return whether it has succeeded within 15 minutes
     * @throws InterruptedException when the caller is interrupted; the program is ended, as at the deadline
     */
    public static boolean run(List<String> command, Path folder, Path log) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        var process = builder.start();
        try {
            process.getOutputStream().close();
            return process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS) && process.exitValue() == 0;
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
    }
}
