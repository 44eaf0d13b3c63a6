package dev.orderly.cli;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.operations.PartitionScaler;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly scale}. */
@Command(
        name = "scale",
        description = "Grow the topic of orders to more partitions, while orders are accepted and none is reordered.")
final class ScaleCommand implements Callable<Integer> {
    @Option(names = "--partitions", required = true, paramLabel = "N", description = "How many there are to be.")
    int partitions;

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "For each step; then everything continues as before. (default: ${DEFAULT-VALUE})")
    int deadline;

    @Override
    public Integer call() throws IOException, InterruptedException, ExecutionException {
        PartitionScaler.grow(Checkout.data(data), partitions, Duration.ofSeconds(deadline));
        return 0;
    }
}
