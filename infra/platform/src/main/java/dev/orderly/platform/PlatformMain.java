package dev.orderly.platform;

import picocli.CommandLine.Command;

/** The part of the command line that starts a platform, for tests: the rest is built after them. */
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
