package dev.orderly.platform;

import picocli.CommandLine.Command;

/** What of the command line starts a platform, for tests: they need none of the rest, which is built after them. */
@Command(
        name = "platform",
        subcommands = {PlatformCommand.class, UpCommand.class})
public final class PlatformMain {
    private PlatformMain() {}

    /** Runs one command and exits. */
    public static void main(String[] arguments) {
        System.exit(CommandRunner.run(new PlatformMain(), arguments));
    }
}
