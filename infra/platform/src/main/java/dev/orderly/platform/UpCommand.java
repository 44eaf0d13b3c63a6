package dev.orderly.platform;

import dev.orderly.platform.config.PlatformSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./orderly up}. */
@Command(name = "up", description = "Start platform and services, and stay up.")
public final class UpCommand extends StartCommand {
    @Option(names = "--no-console", description = "Without the page that shows the system.")
    boolean noConsole;

    @Override
    protected Platform.Scope scope() {
        return noConsole ? Platform.Scope.WITHOUT_CONSOLE : Platform.Scope.ALL;
    }

    @Override
    protected int whenReady(PlatformSettings settings, Platform platform, String elapsed) throws InterruptedException {
        System.out.println(readyLine(settings, elapsed));
        if (!noConsole) {
            System.out.println("console: " + Console.url(settings.ports()));
        }
        untilStopped();
        return 0;
    }
}
