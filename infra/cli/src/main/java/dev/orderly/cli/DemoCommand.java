package dev.orderly.cli;

import dev.orderly.lab.scenario.SampleOrders;
import dev.orderly.platform.Console;
import dev.orderly.platform.Platform;
import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.StartCommand;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.ComposeSettings;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.operations.AccessTokens;
import dev.orderly.testkit.ComposePlatform;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly demo}. */
@Command(name = "demo", description = "Start everything, place sample orders, show what became of them, stay up.")
final class DemoCommand extends StartCommand {
    @Option(names = "--once", description = "Stop after the sample orders: 0 when every outcome was right, else 1.")
    boolean once;

    @Option(
            names = "--compose",
            description =
                    "Start nothing: place the sample orders with what docker-compose up has started, on its ports.")
    boolean compose;

    @Override
    public Integer call() throws InterruptedException {
        if (!compose) {
            return super.call();
        }
        var settings = new PlatformSettings(
                Checkout.path(),
                Checkout.data(data),
                brokers,
                ComposeSettings.ports(),
                Set.of(),
                PlatformSettings.JSON);
        var services = ServiceDefinition.all(
                        settings.checkout(), settings.ports().http())
                .stream()
                .map(service -> service.on(ComposeSettings.port(service.name())))
                .toList();
        var platform = new ComposePlatform(settings.data());
        platform.awaitReady();
        return new SampleOrders(settings, services, platform.tokens(), System.out).run() ? 0 : 1;
    }

    @Override
    protected Platform.Scope scope() {
        return once ? Platform.Scope.WITHOUT_CONSOLE : Platform.Scope.ALL;
    }

    @Override
    protected boolean endsWhenStopped() {
        return !once;
    }

    @Override
    protected int whenReady(PlatformSettings settings, Platform platform, String elapsed) throws InterruptedException {
        System.out.println("everything is ready after " + elapsed);
        var tokens = AccessTokens.of(settings.data());
        boolean right = new SampleOrders(settings, platform.services(), tokens, System.out).run();
        if (once) {
            return right ? 0 : 1;
        }
        System.out.println();
        for (var service : platform.services()) {
            System.out.printf(
                    "%-20s  %s, with health, metrics and swagger-ui%n", service.name(), service.managementUrl("/q"));
        }
        System.out.println("\nCtrl-C stops it all.");
        System.out.println("\nIn the browser: " + Console.url(settings.ports()));
        untilStopped();
        return 0;
    }
}
