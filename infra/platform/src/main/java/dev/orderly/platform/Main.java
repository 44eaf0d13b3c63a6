package dev.orderly.platform;

import dev.orderly.bench.Bench;
import dev.orderly.chaos.Chaos;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;

/** The command line, {@code ./orderly}. Exit codes: 0 done, 1 failed as described, 2 wrong usage. */
@Command(
        name = "orderly",
        description = "Orders and payments by events: PostgreSQL, Kafka, Debezium and four services on this machine.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Of the script itself:",
            "  build         Build everything without running the tests.",
            "  test          Build everything and run every test."
        },
        subcommands = {
            LaunchCommands.Demo.class,
            LaunchCommands.Up.class,
            LaunchCommands.PlatformOnly.class,
            QueryCommands.ShowStatus.class,
            QueryCommands.Stop.class,
            QueryCommands.Env.class,
            ParkedCommands.class,
            Scale.class,
            RebuildView.class,
            Scenarios.class,
            InContainers.Keep.class,
            InContainers.Doors.class,
            Chaos.class,
            Bench.class,
            Training.class,
        })
public final class Main {
    private Main() {}

    /** Runs one command and exits. */
    public static void main(String[] arguments) {
        var commands = new CommandLine(new Main());
        commands.getSubcommands().values().forEach(c -> c.getCommandSpec().mixinStandardHelpOptions(true));
        commands.getCommandSpec().mixinStandardHelpOptions(true).version("1.0.0-SNAPSHOT");
        commands.setColorScheme(CommandLine.Help.defaultColorScheme(Progress.onTerminal() ? Ansi.ON : Ansi.OFF));
        commands.setExecutionExceptionHandler((exception, _, _) -> failed(exception));
        System.exit(commands.execute(arguments));
    }

    /** One plain line for the user; the stack trace is for the log. */
    private static int failed(Exception exception) {
        LoggerFactory.getLogger(Main.class).error("failed", exception);
        if (exception instanceof InterruptedException) {
            return 1; // a stop was asked for, and says so itself
        }
        String line = exception instanceof StartFailure ? exception.getMessage() : "unexpected: " + exception + log();
        System.err.println("orderly: " + line);
        return 1;
    }

    private static String log() {
        String log = System.getProperty("orderly.log");
        return log == null ? "" : "; more in " + log;
    }
}
