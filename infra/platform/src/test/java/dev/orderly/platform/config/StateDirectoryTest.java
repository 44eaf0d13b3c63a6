package dev.orderly.platform.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class StateDirectoryTest {

    @TempDir
    Path data;

    @TempDir
    Path links;

    @BeforeEach
    void make() throws IOException {
        StateDirectory.open(data, false, 3).close();
        Files.writeString(data.resolve("orders"), "state");
    }

    @Test
    void state_of_this_version_is_opened_again() throws IOException {
        StateDirectory.open(data, false, 3).close();

        assertThat(data.resolve("orders")).exists();
    }

    @Test
    void what_parts_keep_is_closed_to_other_users_also_when_it_was_open_before() throws IOException {
        for (String folder : List.of("run", "log", "kafka", "gateway", "identity")) {
            var path = Files.createDirectories(data.resolve(folder));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }

        StateDirectory.open(data, false, 3).close();

        for (String folder : List.of("run", "log", "kafka", "gateway", "identity")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve(folder))))
                    .as(folder)
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void state_without_a_format_number_is_of_an_older_version_and_emptied_only_by_fresh() throws IOException {
        Files.delete(data.resolve("format"));

        assertThatThrownBy(() -> StateDirectory.open(data, false, 3))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("%s was made by an older version of Orderly; start with --fresh, which empties it", data);
        assertThat(data.resolve("orders")).exists();

        StateDirectory.open(data, true, 3).close();
        assertThat(data.resolve("orders")).doesNotExist();
        StateDirectory.open(data, false, 3).close();
    }

    /** A process that opens and closes the file once more loses its lock, unless it takes care. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void it_stays_locked_for_others_when_its_own_process_asks_or_tries_to_open_it_again() throws IOException {
        var lock = ":" + Files.getAttribute(data.resolve("lock"), "unix:ino") + " ";

        try (var _ = StateDirectory.open(data, false, 3)) {
            assertThat(StateDirectory.inUse(data)).isTrue();
            assertThatThrownBy(() -> StateDirectory.open(data, false, 3)).hasMessageContaining("already running");

            assertThat(Files.readString(Path.of("/proc/locks"))).contains(lock);
        }

        assertThat(StateDirectory.inUse(data)).isFalse();
        assertThat(Files.readString(Path.of("/proc/locks"))).doesNotContain(lock);
    }

    /** The shell becomes a program that knows nothing of the child it has had. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void a_process_has_ended_also_when_its_parent_does_not_notice() throws Exception {
        var parent = new ProcessBuilder("sh", "-c", "sleep 60 & echo $!; exec sleep 60").start();
        try (var output = parent.inputReader()) {
            var child = ProcessHandle.of(Long.parseLong(output.readLine())).orElseThrow();
            assertThat(StateDirectory.awaitEnd(child, Duration.ofMillis(1))).isFalse();

            child.destroy();

            assertThat(StateDirectory.awaitEnd(child, Duration.ofSeconds(20))).isTrue();
            assertThat(child.isAlive()).as("as Java sees it").isTrue();
        } finally {
            parent.destroyForcibly();
        }
    }

    @Test
    void a_link_to_the_state_is_as_good_as_the_state() throws IOException {
        Path link = Files.createSymbolicLink(links.resolve("link"), data);

        StateDirectory.open(link, true, 3).close();

        assertThat(link).isSymbolicLink();
        assertThat(data.resolve("orders")).doesNotExist();
        Files.delete(link); // JUnit warns of one that leads elsewhere
    }

    @Test
    void what_a_process_did_not_get_to_rename_is_removed() throws IOException {
        Files.createFile(data.resolve("run/status.json4711.new"));

        StateDirectory.open(data, false, 3).close();

        assertThat(data.resolve("run")).isEmptyDirectory();
    }

    @Test
    void a_name_that_kafka_would_split_is_refused() {
        Path twoFolders = data.resolve("a, b");

        assertThatThrownBy(() -> StateDirectory.open(twoFolders, false, 3))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageStartingWith(twoFolders + " has a comma or a colon in its name");
        assertThat(twoFolders).doesNotExist();
    }

    @Test
    void state_of_a_newer_version_is_refused() throws IOException {
        Files.writeString(data.resolve("format"), "1000\n");

        assertThatThrownBy(() -> StateDirectory.open(data, false, 3))
                .hasMessageContaining("was made by a newer version of Orderly");
    }

    /** What {@code ./orderly status} and {@code stop} ask for. */
    @Test
    void the_launcher_on_state_of_an_older_version_is_found() throws IOException {
        Files.delete(data.resolve("format"));

        assertThat(StateDirectory.inUse(data)).isFalse();
        assertThat(StateDirectory.launcher(data))
                .map(ProcessHandle::pid)
                .contains(ProcessHandle.current().pid());
    }
}
