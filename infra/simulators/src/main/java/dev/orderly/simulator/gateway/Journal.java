package dev.orderly.simulator.gateway;

import static dev.orderly.simulator.http.JsonServer.JSON;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.function.Consumer;

/** An append-only log of all that the gateway has done, a line of JSON each: its memory and the evidence. */
final class Journal {

    private static final int MAX_LINE_BYTES = 65_536;

    private final Path file;
    private final FileChannel channel;

    /** Creates or opens it, and replays it. A line that a crash cut off was acknowledged to no client. */
    Journal(Path file, Consumer<JsonNode> replay) throws IOException {
        this.file = file;
        Files.createDirectories(file.toAbsolutePath().getParent());
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (channel.tryLock() == null) {
            throw new IOException("another gateway has " + file);
        }
        channel.truncate(endOfLastLine());
        channel.position(channel.size());
        try (var lines = Files.newBufferedReader(file)) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                replay.accept(JSON.readTree(line));
            }
        }
    }

    private long endOfLastLine() throws IOException {
        var tail = ByteBuffer.allocate((int) Math.min(channel.size(), MAX_LINE_BYTES));
        long start = channel.size() - tail.capacity();
        while (tail.hasRemaining()) {
            if (channel.read(tail, start + tail.position()) < 0) {
                throw new IOException("another process truncates " + file);
            }
        }
        int end = tail.capacity();
        while (end > 0 && tail.get(end - 1) != '\n') {
            end--;
        }
        return start + end;
    }

    static ObjectNode line(String entry, String payment) {
        return JSON.createObjectNode()
                .put("at", Instant.now().toString())
                .put("entry", entry)
                .put("payment", payment);
    }

    /**
     * Returns when it is on the disk: only then may a response or a callback say so.
     *
     * @throws UncheckedIOException when it cannot be written; then nothing of it is there
     */
    synchronized void append(ObjectNode line) {
        var bytes = ByteBuffer.wrap((line + "\n").getBytes(UTF_8));
        try {
            long end = channel.position();
            try {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(false);
            } catch (IOException e) {
                channel.truncate(end); // a full disk takes the beginning of a line
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the journal cannot be written", e);
        }
    }

    void copy(OutputStream to) throws IOException {
        Files.copy(file, to);
    }

    void close() throws IOException {
        channel.close();
    }
}
