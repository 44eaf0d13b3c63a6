package dev.orderly.console.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.console.config.Problem;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.util.List;
import org.jboss.logging.Logger;

/** Grows the topic of orders by {@code ./orderly scale}, which knows how no event is overtaken. */
@ApplicationScoped
class PartitionGrowth {

    private static final Logger LOG = Logger.getLogger(PartitionGrowth.class);
    private static final int MAX_OUTPUT_BYTES = 16 * 1024;

    private final DemoPlatform platform;
    private Status status = new Status("idle", "");

    /** @param state idle, running, done or failed @param output of the command */
    record Status(String state, String output) {}

    PartitionGrowth(DemoPlatform platform) {
        this.platform = platform;
    }

    synchronized Status status() {
        platform.state(); // or there is none
        return status;
    }

    private synchronized void set(Status now) {
        status = now;
    }

    /** Returns at once. @throws HttpProblem 409 while it runs */
    synchronized Status grow(int partitions) {
        if (status().state.equals("running")) {
            throw Problem.of(409, "The topic is growing already.");
        }
        var builder = new ProcessBuilder(List.of(
                        platform.checkout().resolve("orderly").toString(),
                        "scale",
                        "--partitions=" + partitions,
                        "--data=" + platform.state()))
                .redirectErrorStream(true);
        builder.environment().put("ORDERLY_BUILD", "no");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        status = new Status("running", "");
        Thread.ofVirtual().name("scale").start(() -> run(builder));
        return status;
    }

    private void run(ProcessBuilder builder) {
        var output = new StringBuilder();
        try {
            var process = builder.start();
            try (var lines = process.inputReader(UTF_8)) {
                for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (output.length() < MAX_OUTPUT_BYTES) {
                        output.append(line).append('\n');
                        set(new Status("running", output.toString()));
                    }
                }
            }
            set(new Status(process.waitFor() == 0 ? "done" : "failed", output.toString()));
        } catch (IOException e) {
            LOG.error("./orderly scale cannot be run", e);
            set(new Status("failed", "it cannot be run; the console's log says why"));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
