package dev.orderly.cli;

import dev.orderly.lab.scenario.SampleOrders;
import dev.orderly.platform.AotCacheBuilder;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.ShopClient;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;

/**
 * {@code ./orderly build-aot-cache}, a part of the build: has the services, and all that they use, serve
 * orders, so that the JVM can record what they load, link and compile first.
 */
@Command(name = "build-aot-cache", hidden = true, description = "Make the AOT caches of the services.")
final class AotCacheCommand implements Callable<Integer> {
    /** As many customers at once, for so long: enough for the JVM to note what is hot, and how it is used. */
    private static final int CUSTOMERS = 16;

    private static final Duration BUSY = Duration.ofSeconds(20);

    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @Override
    public Integer call() throws IOException, InterruptedException {
        AotCacheBuilder.buildServices(AotCacheCommand::warmUp);
        return 0;
    }

    /** One order of each kind, and then many: so the first real one finds its path trodden. */
    private static void warmUp(PlatformSettings settings, List<ServiceDefinition> services)
            throws InterruptedException {
        var tokens = AccessTokens.of(settings.data());
        new SampleOrders(settings, services, tokens, NOWHERE).run();
        placeMany(services, tokens);
    }

    private static void placeMany(List<ServiceDefinition> services, AccessTokens tokens) throws InterruptedException {
        var shop = new ShopClient(
                (service, path) -> ServiceDefinition.named(services, service).url(path), tokens);
        shop.putProduct("training", "Training", 1);
        shop.putStock("training", 1_000_000);
        var customers = new ArrayList<Callable<Void>>();
        for (int i = 0; i < CUSTOMERS; i++) {
            var customer = UUID.randomUUID().toString();
            shop.deposit(customer, 1_000_000);
            var order = ShopClient.order(customer, Map.of("training", 1));
            customers.add(() -> {
                while (true) {
                    ShopClient.expect(shop.place(order));
                }
            });
        }
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.invokeAll(customers, BUSY.toSeconds(), TimeUnit.SECONDS);
        }
    }
}
