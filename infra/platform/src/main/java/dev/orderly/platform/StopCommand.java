package dev.orderly.platform;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly stop}. */
@Command(name = "stop", description = "Stop what runs on the state folder, and wait until it is gone.")
final class StopCommand implements Callable<Integer> {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Override
    public Integer call() throws Exception {
        Path state = Checkout.data(data);
        if (!StateFolder.inUse(state)) {
            System.out.println("nothing runs on " + state);
            return 0;
        }
        long pid =
                StateFolder.launcher(state).orElseThrow(() -> new StartFailure("it is only just starting; try again"));
        var launcher = ProcessHandle.of(pid);
        if (launcher.isPresent()) {
            launcher.get().destroy();
            try {
                launcher.get().onExit().get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException e) {
                throw new StartFailure("pid " + pid + " did not stop within " + DEADLINE.toSeconds() + " s", e);
            }
        }
        System.out.println("stopped");
        return 0;
    }
}
