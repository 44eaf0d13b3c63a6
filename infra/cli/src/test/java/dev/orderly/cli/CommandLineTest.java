package dev.orderly.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.CommandRunner;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

class CommandLineTest {
    @TempDir
    Path data;

    static Stream<List<String>> commands() {
        return below(List.of(), new CommandLine(new Main()));
    }

    private static Stream<List<String>> below(List<String> names, CommandLine command) {
        return Stream.concat(
                Stream.of(names), command.getSubcommands().entrySet().stream().flatMap(sub -> {
                    var longer = new ArrayList<>(names);
                    longer.add(sub.getKey());
                    return below(longer, sub.getValue());
                }));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void each_command_has_help(List<String> names) {
        var arguments = new ArrayList<>(names);
        arguments.add("--help");

        assertThat(output(arguments)).contains("Usage: orderly " + String.join(" ", names), "--help");
    }

    @Test
    void what_env_prints_is_what_a_shell_reads() throws Exception {
        var value = "it's \"$HOME\" & `id` = 1";
        Files.createDirectories(data.resolve("run"));
        Files.writeString(data.resolve("run/order-service.env"), "ODD=" + value + "\nPLAIN=1\n");
        var exports = output(List.of("env", "order-service", "--data=" + data));

        var shell = new ProcessBuilder("bash", "-c", "eval \"$1\"; printf '%s|%s' \"$ODD\" \"$PLAIN\"", "bash", exports)
                .redirectErrorStream(true)
                .start();

        assertThat(new String(shell.getInputStream().readAllBytes(), UTF_8)).isEqualTo(value + "|1");
    }

    private static String output(List<String> arguments) {
        var printed = new ByteArrayOutputStream();
        var console = System.out;
        System.setOut(new PrintStream(printed, true, UTF_8));
        try {
            assertThat(CommandRunner.run(new Main(), arguments.toArray(String[]::new)))
                    .isZero();
        } finally {
            System.setOut(console);
        }
        return printed.toString(UTF_8);
    }
}
