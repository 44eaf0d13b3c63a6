package dev.orderly.platform.process;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Bounds the log of a process that runs for weeks: what is beyond the limit becomes {@code .log.old}. */
final class LogLimit {
    private static final Logger LOG = LoggerFactory.getLogger(LogLimit.class);

    static final long MAX_BYTES = 32 << 20;

    private LogLimit() {}

    /**
     * Copies and empties the file, instead of renaming it: the process writes to what it was started with. It
     * appends, so its next line is the first. A line that it writes in between, in a few milliseconds, is
     * lost; the alternative is a process of its own that all output passes.
     *
     * <p>It never fails: no log is worth the process that writes it.
     */
    static void apply(Path log, long maxBytes) {
        try {
            if (Files.exists(log) && Files.size(log) > maxBytes) {
                copy(log);
                try (var file = FileChannel.open(log, StandardOpenOption.WRITE)) {
                    file.truncate(0);
                }
            }
        } catch (IOException e) {
            LOG.warn("{} has more than {} bytes and cannot be emptied: {}", log, maxBytes, e.toString());
        }
    }

    private static void copy(Path log) {
        try {
            Files.copy(log, Path.of(log + ".old"), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // A full disk has no space for a copy, and needs that of the file.
            LOG.warn("what was in {} is dropped, since it cannot be copied: {}", log, e.toString());
        }
    }
}
