package dev.orderly.platform;

import dev.orderly.platform.config.CommandFailedException;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * Runs one command of a command line. Exit codes: 0 done, 1 failed as described, 2 wrong usage. Of a failure
 * the user sees one plain line; the stack trace is for the log.
 */
public final class CommandRunner {
    private CommandRunner() {}

    /** Returns the exit code. @param program of picocli, with its commands */
    public static int run(Object program, String... arguments) {
        var commands = new CommandLine(program);
        addHelp(commands);
        commands.getCommandSpec().version("1.0.0-SNAPSHOT");
        commands.setColorScheme(CommandLine.Help.defaultColorScheme(ConsoleProgress.onTerminal() ? Ansi.ON : Ansi.OFF));
        commands.setExecutionExceptionHandler((exception, _, _) -> failed(exception));
        return commands.execute(arguments);
    }

    private static void addHelp(CommandLine command) {
        command.getCommandSpec().mixinStandardHelpOptions(true);
        command.getSubcommands().values().forEach(CommandRunner::addHelp);
    }

    private static int failed(Exception exception) {
        LoggerFactory.getLogger(CommandRunner.class).error("failed", exception);
        if (exception instanceof InterruptedException) {
            return 1; // a stop was requested, and prints so itself
        }
        String line = exception instanceof CommandFailedException
                ? exception.getMessage()
                : "unexpected: " + exception + log();
        System.err.println("orderly: " + line);
        return 1;
    }

    private static String log() {
        String log = System.getProperty("orderly.log");
        return log == null ? "" : "; more in " + log;
    }
}
