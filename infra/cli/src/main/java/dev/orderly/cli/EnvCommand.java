package dev.orderly.cli;

import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ./orderly env SERVICE}. */
@Command(name = "env", description = "Print a service's environment as export lines, to run its jar by hand.")
final class EnvCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "SERVICE",
            description = "order-service, inventory-service, …; reader or admin: of the brokers.")
    String service;

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Override
    public Integer call() throws IOException {
        Path file = ServiceDefinition.environmentFile(Checkout.data(data), service);
        if (!Files.exists(file)) {
            throw new CommandFailedException("no environment for " + service + " in " + file.getParent()
                    + ": is the name right, and was the platform started?");
        }
        for (String line : Files.readAllLines(file)) {
            int equals = line.indexOf('=');
            String value = line.substring(equals + 1).replace("'", "'\\''");
            System.out.println("export " + line.substring(0, equals) + "='" + value + "'");
        }
        return 0;
    }
}
