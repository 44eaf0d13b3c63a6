package dev.orderly.platform;

import dev.orderly.platform.config.PlatformSettings;
import picocli.CommandLine.Command;

/** {@code ./orderly up}. */
@Command(name = "up", description = "Start platform and services, and stay up.")
public final class UpCommand extends StartCommand {
    @Override
    protected Platform.Scope scope() {
        return Platform.Scope.ALL;
    }

    @Override
    protected int whenReady(PlatformSettings settings, Platform platform, String elapsed) throws InterruptedException {
        System.out.println(readyLine(settings, elapsed));
        untilStopped();
        return 0;
    }
}
