package dev.orderly.platform.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogLimitTest {

    private Path log;
    private Path before;

    @BeforeEach
    void a_log(@TempDir Path folder) {
        log = folder.resolve("part.log");
        before = folder.resolve("part.log.old");
    }

    @Test
    void a_log_within_its_limit_is_left_alone() throws IOException {
        LogLimit.apply(log, 10); // no process has written yet
        Files.writeString(log, "0123456789");

        LogLimit.apply(log, 10);

        assertThat(log).hasContent("0123456789");
        assertThat(before).doesNotExist();
    }

    @Test
    void a_process_goes_on_writing_to_a_log_that_was_emptied() throws IOException {
        try (var process = Files.newOutputStream(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            process.write("the first line\n".getBytes());

            LogLimit.apply(log, 10);
            process.write("the second line\n".getBytes());
        }

        assertThat(before).hasContent("the first line\n");
        assertThat(log).hasContent("the second line\n");
    }

    @Test
    void a_log_that_cannot_be_copied_as_on_a_full_disk_is_emptied_and_the_process_goes_on() throws IOException {
        Files.createDirectories(before.resolve("which_no_copy_replaces"));
        Files.writeString(log, "longer than ten bytes");

        LogLimit.apply(log, 10);

        assertThat(log).isEmptyFile();
    }
}
