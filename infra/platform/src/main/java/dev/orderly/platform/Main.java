package dev.orderly.platform;

import dev.orderly.bench.Bench;
import dev.orderly.chaos.Chaos;
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
            "  test          Build everything and run every test."
        },
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            PlatformCommand.class,
            StatusCommand.class,
            StopCommand.class,
            EnvCommand.class,
            ParkedCommand.class,
            ScaleCommand.class,
            RebuildViewCommand.class,
            ScenarioCommand.class,
            BootstrapCommand.class,
            TcpProxyCommand.class,
            Chaos.class,
            Bench.class,
            AotCacheCommand.class,
        })
public final class Main {
    private Main() {}

    /** Runs one command and exits. */
    public static void main(String[] arguments) {
        System.exit(CommandRunner.run(new Main(), arguments));
    }
}
