package dev.orderly.platform.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Bounds the log of a process that runs for weeks: what is beyond the limit becomes {@code .log.old}. */
final class LogLimit {
    static final long MAX_BYTES = 32 << 20;

    private LogLimit() {}

    /**
     * Copies and empties the file, instead of renaming it: the process writes to what it was started with. It
     * appends, so its next line is the first. A line that it writes in between, in a few milliseconds, is
     * lost; the alternative is a process of its own that all output passes.
     */
    static void apply(Path log, long maxBytes) throws IOException {
        if (!Files.exists(log) || Files.size(log) <= maxBytes) {
            return;
        }
        Files.copy(log, Path.of(log + ".old"), StandardCopyOption.REPLACE_EXISTING);
        try (var file = FileChannel.open(log, StandardOpenOption.WRITE)) {
            file.truncate(0);
        }
    }
}
