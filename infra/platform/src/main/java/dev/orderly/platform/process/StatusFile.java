package dev.orderly.platform.process;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.config.StateDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * {@code run/status.json}: what runs, for {@code ./orderly status} and for tests and tools that kill
 * processes. It is replaced as a whole at each change, so a reader never sees half of one.
 *
 * @param pid of the launcher
 * @param started whether all parts that others need have been ready; until then more parts may follow
 */
public record StatusFile(
        long pid, int brokers, boolean started, PlatformSettings.Ports ports, List<ProcessStatus> parts) {
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // of another version
            .build();

    public static void write(PlatformSettings settings, boolean started, List<ProcessStatus> parts) {
        var file = new StatusFile(ProcessHandle.current().pid(), settings.brokers(), started, settings.ports(), parts);
        try {
            Secrets.writePrivately(
                    settings.run("status.json"),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the last launcher on this directory wrote last. */
    public static Optional<StatusFile> read(Path data) {
        Path file = data.resolve("run/status.json");
        try {
            return Files.exists(file) ? Optional.of(JSON.readValue(file.toFile(), StatusFile.class)) : Optional.empty();
        } catch (IOException e) {
            throw new CommandFailedException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** Of the platform that runs on this directory. */
    public static StatusFile running(Path data) {
        return (StateDirectory.inUse(data) ? read(data) : Optional.<StatusFile>empty())
                .orElseThrow(() -> new CommandFailedException("nothing runs on " + data));
    }
}
