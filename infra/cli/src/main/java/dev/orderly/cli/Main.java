package dev.orderly.cli;

import dev.orderly.cli.container.BootstrapCommand;
import dev.orderly.lab.bench.BenchCommand;
import dev.orderly.lab.chaos.ChaosCommand;
import dev.orderly.platform.CommandRunner;
import dev.orderly.platform.PlatformCommand;
import dev.orderly.platform.UpCommand;
import picocli.CommandLine.Command;

/** The command line, {@code ./orderly}. */
@Command(
        name = "orderly",
        description = "Orders and payments by events: PostgreSQL, Kafka, Debezium and four services on this machine.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Of the script itself:",
            "  build         Build everything without running the tests.",
            "  test          Build everything and run every test; with --fast those that start no process."
        },
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            PlatformCommand.class,
            StatusCommand.class,
            StopCommand.class,
            EnvCommand.class,
            TokenCommand.class,
            ParkedCommand.class,
            ScaleCommand.class,
            RebuildViewCommand.class,
            RenewCertificatesCommand.class,
            GroupsCommand.class,
            ScenarioCommand.class,
            BootstrapCommand.class,
            ChaosCommand.class,
            BenchCommand.class,
            AotCacheCommand.class,
        })
public final class Main {
    Main() {}

    /** Runs one command and exits. */
    public static void main(String[] arguments) {
        System.exit(CommandRunner.run(new Main(), arguments));
    }
}
