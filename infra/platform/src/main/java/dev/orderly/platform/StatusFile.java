package dev.orderly.platform;

import com.fasterxml.jackson.databind.json.JsonMapper;
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
record StatusFile(long pid, int brokers, Settings.Ports ports, List<Part> parts) {
    private static final JsonMapper JSON = new JsonMapper();

    /** A {@link Status} in types that JSON has. */
    record Part(String name, Status.State state, long pid, int restarts, String since, int port, String log) {
        Instant sinceWhen() {
            return Instant.parse(since);
        }
    }

    static void write(Settings settings, List<Status> parts) {
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
    static Optional<StatusFile> read(Path data) {
        Path file = data.resolve("run/status.json");
        try {
            return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), StatusFile.class)) : Optional.empty();
        } catch (IOException e) {
            throw new StartFailure("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
