package dev.orderly.platform;

import dev.orderly.platform.config.PlatformSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly platform}. */
@Command(name = "platform", description = "Start PostgreSQL, Kafka, Connect and the simulators without the services.")
public final class PlatformCommand extends StartCommand {
    @Option(names = "--no-connect", description = "Without Kafka Connect: nothing relays the outboxes.")
    boolean noConnect;

    @Option(
            names = "--no-simulators",
            description = "Without payment gateway, SMS provider, mail server and identity provider.")
    boolean noSimulators;

    @Override
    protected Platform.Scope scope() {
        return new Platform.Scope(false, !noConnect, !noSimulators, false, false, false);
    }

    @Override
    protected int whenReady(PlatformSettings settings, Platform platform, String elapsed) throws InterruptedException {
        System.out.println(readyLine(settings, elapsed));
        untilStopped();
        return 0;
    }
}
