package dev.orderly.platform.process;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * {@code run/status.json}: what runs, for {@code ./orderly status} and for tests and tools that kill parts. It is replaced
 * as a whole at each change, so a reader never sees half of one.
 *
 * @param pid of the launcher
 */
public record StatusFile(long pid, int brokers, PlatformSettings.Ports ports, List<Part> parts) {
    private static final JsonMapper JSON = new JsonMapper();

    /** A {@link ProcessStatus} in types that JSON has. */
    public record Part(
            String name, ProcessStatus.State state, long pid, int restarts, String since, int port, String log) {
        public Instant sinceWhen() {
            return Instant.parse(since);
        }
    }

    public static void write(PlatformSettings settings, List<ProcessStatus> parts) {
        var file = new StatusFile(
                ProcessHandle.current().pid(),
                settings.brokers(),
                settings.ports(),
                parts.stream()
                        .map(s -> new Part(
                                s.name(),
                                s.state(),
                                s.pid(),
                                s.restarts(),
                                s.since().toString(),
                                s.port(),
                                s.log().toString()))
                        .toList());
        try {
            Secrets.writePrivately(
                    settings.run("status.json"),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the last launcher on this folder wrote last. */
    public static Optional<StatusFile> read(Path data) {
        Path file = data.resolve("run/status.json");
        try {
            return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), StatusFile.class)) : Optional.empty();
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
