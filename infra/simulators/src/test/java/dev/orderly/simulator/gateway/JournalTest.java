package dev.orderly.simulator.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

    @TempDir
    Path folder;

    @Test
    void what_was_written_is_there_after_a_restart_without_the_line_that_a_crash_cut_off() throws IOException {
        var file = folder.resolve("made/journal.jsonl");
        var payments = IntStream.range(0, 1_000).mapToObj(i -> "payment-" + i).toList();
        var journal = new Journal(file, _ -> {});
        payments.forEach(payment -> journal.append(Journal.line("request", payment)));
        journal.close();
        Files.writeString(file, Files.readString(file) + "{\"at\":\"2026-");

        assertThat(paymentsIn(file)).isEqualTo(payments);
        assertThat(Files.readString(file)).endsWith("}\n");
    }

    @Test
    void a_first_line_that_a_crash_cut_off_is_nothing() throws IOException {
        var file = folder.resolve("journal.jsonl");
        Files.writeString(file, "{\"at\"");

        assertThat(paymentsIn(file)).isEmpty();
        assertThat(file).isEmptyFile();
    }

    /** In a process of its own, which may write no file of more than 1,024 bytes: as on a full disk. */
    @Test
    void a_line_that_does_not_fit_on_the_disk_leaves_nothing() throws IOException, InterruptedException {
        var file = folder.resolve("journal.jsonl");
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();

        int exitCode = new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit -f 1; exec \"$@\"",
                        "bash",
                        java,
                        "-XX:-UsePerfData",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FullDisk.class.getName(),
                        file.toString())
                .inheritIO()
                .start()
                .waitFor();

        assertThat(exitCode).isZero();
        assertThat(paymentsIn(file)).containsExactly("a".repeat(700), "short");
    }

    static final class FullDisk {
        public static void main(String[] arguments) throws IOException {
            var journal = new Journal(Path.of(arguments[0]), _ -> {});
            journal.append(Journal.line("request", "a".repeat(700)));
            assertThatThrownBy(() -> journal.append(Journal.line("request", "b".repeat(700))))
                    .isInstanceOf(UncheckedIOException.class);
            journal.append(Journal.line("request", "short"));
        }
    }

    private static List<String> paymentsIn(Path file) throws IOException {
        var payments = new ArrayList<String>();
        var journal =
                new Journal(file, line -> payments.add(line.path("payment").asText()));
        var copy = new ByteArrayOutputStream();
        journal.copy(copy);
        journal.close();
        assertThat(copy.toByteArray()).isEqualTo(Files.readAllBytes(file));
        return payments;
    }
}
