package dev.orderly.cli;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.ComposePlatform;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ./orderly token NAME}. */
@Command(
        name = "token",
        description = "Print a token for requests: curl -H \"Authorization: Bearer $(./orderly token olga)\" …")
final class TokenCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "NAME",
            description = "ann or bob (customers), carl (clerk), olga (operator), or the id of a customer.")
    String name;

    @Option(names = "--data", paramLabel = "DIR", description = "State folder. (default: .orderly in the checkout)")
    Path data;

    @Option(names = "--compose", description = "For what docker-compose up has started, on its ports.")
    boolean compose;

    @Override
    public Integer call() throws InterruptedException {
        var folder = Checkout.data(data);
        var tokens = compose ? new ComposePlatform(folder).tokens() : AccessTokens.of(folder);
        System.out.println(tokens.of(name));
        return 0;
    }
}
