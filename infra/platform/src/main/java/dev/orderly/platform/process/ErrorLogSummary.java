package dev.orderly.platform.process;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Finds the one line of a log that says why, so that the console can show it instead of a stack trace. */
public final class ErrorLogSummary {
    private static final int TAIL_BYTES = 64 * 1024;
    private static final int MAX_CHARACTERS = 300;
    private static final Pattern ERROR = Pattern.compile("\\b(ERROR|FATAL|PANIC)\\b|Exception|Error:|^error:");
    private static final Pattern STACK = Pattern.compile("^\\s+(at |\\.\\.\\. )|^\\s*$|^Caused by: $");

    private ErrorLogSummary() {}

    /** The last line of the file that says what is wrong. */
    public static Optional<String> of(Path log) {
        if (!Files.isReadable(log)) {
            return Optional.empty();
        }
        try (var file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(Math.max(0, file.length() - TAIL_BYTES));
            byte[] tail = new byte[TAIL_BYTES];
            int length = Math.max(0, file.read(tail));
            return meaningful(
                    new String(tail, 0, length, StandardCharsets.UTF_8).lines().toList());
        } catch (IOException e) {
            return Optional.of("(cannot read the log: " + e.getMessage() + ")");
        }
    }

    /** The last error, else the last line; frames of a stack trace are neither. */
    static Optional<String> meaningful(List<String> lines) {
        var messages = lines.stream().filter(l -> !STACK.matcher(l).find()).toList();
        return messages.reversed().stream()
                .filter(l -> ERROR.matcher(l).find())
                .findFirst()
                .or(() -> messages.reversed().stream().findFirst())
                .map(String::strip)
                .map(l -> l.length() > MAX_CHARACTERS ? l.substring(0, MAX_CHARACTERS) + "…" : l);
    }
}
