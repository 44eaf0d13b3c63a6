package dev.orderly.cli;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.StateDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly stop}. */
@Command(name = "stop", description = "Stop what runs on the state folder, and wait until it has ended.")
final class StopCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Override
    public Integer call() throws Exception {
        Path state = Checkout.data(data);
        if (!StateDirectory.inUse(state)) {
            System.out.println("nothing runs on " + state);
            return 0;
        }
        var launcher = StateDirectory.launcher(state)
                .orElseThrow(() -> new CommandFailedException("it is only just starting; try again"));
        launcher.destroy();
        if (!StateDirectory.awaitEnd(launcher, DEADLINE)) {
            throw new CommandFailedException(
                    "pid %d did not stop within %d s; kill -9 %1$d is safe: its parts end, nothing is lost"
                            .formatted(launcher.pid(), DEADLINE.toSeconds()));
        }
        System.out.println("stopped");
        return 0;
    }
}
