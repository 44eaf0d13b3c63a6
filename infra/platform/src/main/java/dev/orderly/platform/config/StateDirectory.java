package dev.orderly.platform.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Holds all state of one platform, and is open in at most one launcher at a time. A directory that this class
 * has not created is never written to, still less emptied.
 */
public final class StateDirectory implements AutoCloseable {
    private static final String MARKER = "made-by-orderly";
    private static final String LOCK = "lock";
    private static final String LAUNCHER = "launcher.pid";
    /** Of all that is in the directory. Incremented when an older version's state can no longer be used. */
    private static final int FORMAT = 1;

    /** Kafka's log.dirs is a list; a path in a reference to a file of secrets ends at a colon. */
    private static final Pattern SEPARATOR = Pattern.compile("[,:]");

    private static final String BROKERS = "brokers";
    private static final String FORMAT_FILE = "format";
    /**
     * Closed to other users: logs of the brokers hold names and addresses, the gateway's journal card tokens.
     * Each by itself, since PostgreSQL, which closes its own, may be another user and passes through this.
     */
    private static final List<String> PRIVATE = List.of("run", "log", "kafka", "gateway", "identity");

    private static final long MIN_FREE_BYTES = 1L << 30;
    /** A killed launcher's processes are ended by their guards; the slowest has 3 s before it is killed. */
    private static final Duration ORPHANS_END = Duration.ofSeconds(10);

    private static final Duration END_POLL_INTERVAL = Duration.ofMillis(50);

    /**
     * Those that this process has open. Their lock files must not be opened a second time: a process loses
     * its locks on a file when it closes any of its descriptors of it (fcntl(2)).
     */
    private static final Set<Path> OPEN_HERE = ConcurrentHashMap.newKeySet();

    private final Path data;
    private final FileChannel channel;

    private StateDirectory(Path data, FileChannel channel) {
        this.data = data;
        this.channel = channel;
    }

    /**
     * Creates the directory, or opens an existing one, and locks it until it is closed.
     *
     * @param folder may be a symbolic link to it
     */
    public static StateDirectory open(Path folder, boolean fresh, int brokers) {
        try {
            claim(folder);
            Path data = folder.toRealPath();
            if (inUse(data)) {
                throw new CommandFailedException("already running (pid "
                        + launcher(data)
                                .map(launcher -> String.valueOf(launcher.pid()))
                                .orElse("unknown") + "): ./orderly stop");
            }
            FileChannel channel =
                    FileChannel.open(data.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!tryLock(channel)) { // another launcher was quicker
                channel.close();
                throw new CommandFailedException("another launcher has just started on " + data);
            }
            OPEN_HERE.add(data);
            var state = new StateDirectory(data, channel);
            try {
                Files.writeString(
                        data.resolve(LAUNCHER), ProcessHandle.current().pid() + "\n");
                state.awaitOrphans();
                if (fresh) {
                    delete(data, Set.of(data, data.resolve(MARKER), data.resolve(LOCK), data.resolve(LAUNCHER)));
                }
                state.checkFormat();
                state.prepare(brokers);
                return state;
            } catch (IOException | RuntimeException e) {
                state.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CommandFailedException("cannot use " + folder + " for the platform's state: " + e, e);
        }
    }

    private static void claim(Path data) throws IOException {
        if (SEPARATOR.matcher(data.toString()).find()) {
            throw new CommandFailedException(
                    data + " has a comma or a colon in its name, which Kafka takes for a separator: choose --data");
        }
        if (!Files.exists(data.resolve(MARKER))) {
            if (Files.exists(data) && !(Files.isDirectory(data) && isEmpty(data))) {
                throw new CommandFailedException(
                        data + " holds other things: choose an empty or a new folder with --data");
            }
            Files.createDirectories(data);
            Files.createFile(data.resolve(MARKER));
        }
        long free = Files.getFileStore(data).getUsableSpace();
        if (free < MIN_FREE_BYTES) {
            throw new CommandFailedException("disk almost full: %d MB left at %s, 1024 are needed (--data moves it)"
                    .formatted(free >> 20, data));
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException _) {
            return false; // held by this process
        }
    }

    /** Processes of a killed launcher are ending; until they have, they hold ports and files. */
    private void awaitOrphans() throws IOException {
        Instant deadline = Instant.now().plus(ORPHANS_END);
        for (Path file : pidFiles()) {
            Optional<ProcessHandle> process = processOf(file);
            if (process.isEmpty()) {
                continue;
            }
            try {
                if (!awaitEnd(process.get(), Duration.between(Instant.now(), deadline))) {
                    throw new CommandFailedException("a process of an earlier start is still there: pid "
                            + process.get().pid());
                }
            } catch (InterruptedException e) {
                throw new CommandFailedException("interrupted while an earlier start ended", e);
            }
        }
    }

    private List<Path> pidFiles() throws IOException {
        Path run = data.resolve("run");
        if (!Files.isDirectory(run)) {
            return List.of();
        }
        try (var files = Files.list(run)) {
            return files.filter(f -> f.toString().endsWith(".pid")).toList();
        }
    }

    /** The process of this pid file, if it still runs. */
    public static Optional<ProcessHandle> processOf(Path pidFile) throws IOException {
        try {
            String text = Files.readString(pidFile).strip();
            Instant written = Files.getLastModifiedTime(pidFile).toInstant();
            return text.isEmpty()
                    ? Optional.empty()
                    : ProcessHandle.of(Long.parseLong(text))
                            // started later: another process with the same number
                            .filter(p -> p.info()
                                    .startInstant()
                                    .map(start -> start.isBefore(written.plusSeconds(2)))
                                    .orElse(true));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        }
    }

    /**
     * Waits for the end of a process, and returns whether it came in time. It need not be a child of this
     * one, nor need its parent have noticed: in a container the parent may be one that never does.
     */
    public static boolean awaitEnd(ProcessHandle process, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (process.isAlive() && !isZombie(process.pid())) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(END_POLL_INTERVAL.toMillis());
        }
        return true;
    }

    /** As proc(5) has it; without such a file system nothing is known, and the process counts as alive. */
    private static boolean isZombie(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException _) {
            return false;
        }
    }

    /** Deletes the directory with its content, if it exists. */
    public static void delete(Path folder) throws IOException {
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            delete(folder, Set.of());
        }
    }

    private static void delete(Path folder, Set<Path> except) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                if (!except.contains(file)) {
                    Files.delete(file);
                }
            }
        }
    }

    /** State without a number has format 0. */
    private void checkFormat() throws IOException {
        Path file = data.resolve(FORMAT_FILE);
        int format = Files.exists(data.resolve(BROKERS)) ? 0 : FORMAT;
        if (Files.exists(file)) {
            format = Integer.parseInt(Files.readString(file).strip());
        }
        if (format != FORMAT) {
            throw new CommandFailedException(
                    "%s was made by %s version of Orderly; start with --fresh, which empties it"
                            .formatted(data, format < FORMAT ? "an older" : "a newer"));
        }
        Files.writeString(file, FORMAT + "\n");
    }

    private void prepare(int brokers) throws IOException {
        for (String folder : PRIVATE) {
            Files.createDirectories(data.resolve(folder));
            Files.setPosixFilePermissions(data.resolve(folder), PosixFilePermissions.fromString("rwx------"));
        }
        Path madeWith = data.resolve(BROKERS);
        if (Files.exists(madeWith)) {
            String before = Files.readString(madeWith).strip();
            if (!before.equals(String.valueOf(brokers))) {
                throw new CommandFailedException(
                        "%s was made with --brokers %s: say so, or start over with --fresh".formatted(data, before));
            }
        } else {
            Files.writeString(madeWith, brokers + "\n");
        }
        deleteUnfinished();
        rotateLogs();
    }

    /** What a process that died, or a guard on a full disk, did not get to rename. */
    private void deleteUnfinished() throws IOException {
        try (var files = Files.newDirectoryStream(data.resolve("run"), "*.new")) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
    }

    /** Each launcher begins new logs, so that they do not grow forever; those of the run before are kept. */
    private void rotateLogs() throws IOException {
        try (var logs = Files.list(data.resolve("log"))) {
            for (Path log : logs.filter(f -> f.toString().endsWith(".log")).toList()) {
                Files.move(log, Path.of(log + ".old"), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Whether a launcher has this directory open. */
    public static boolean inUse(Path data) {
        if (!Files.exists(data.resolve(LOCK))) {
            return false;
        }
        try {
            if (OPEN_HERE.contains(data.toRealPath())) {
                return true;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot check the lock of " + data, e);
        }
        try (var channel = FileChannel.open(data.resolve(LOCK), StandardOpenOption.WRITE)) {
            return !tryLock(channel);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot check the lock of " + data, e);
        }
    }

    /** The launcher that has this directory open, if it has said so yet: that is a moment after. */
    public static Optional<ProcessHandle> launcher(Path data) {
        try {
            return processOf(data.resolve(LAUNCHER));
        } catch (IOException | NumberFormatException e) {
            throw new CommandFailedException("cannot read " + data.resolve(LAUNCHER), e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        OPEN_HERE.remove(data);
    }
}
