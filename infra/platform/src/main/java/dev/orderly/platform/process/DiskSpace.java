package dev.orderly.platform.process;

import java.nio.file.Path;

/**
 * How much the disk of the state directory still takes. A broker ends when it cannot write, and one that is
 * started on a full disk cannot write what it needs to recover its logs: it takes them for corrupt and
 * truncates them, the log of the cluster's metadata among them, and with that one all topics are gone. So
 * brokers are stopped while there is space to recover in, and not started before there is.
 *
 * @param folder on that disk
 */
record DiskSpace(Path folder) {
    /** Smaller than what is needed to start, so that a broker is not stopped as soon as it has recovered. */
    static final long STOP_BELOW = 128L << 20;

    static final long START_FROM = 256L << 20;

    boolean isEnoughToRun() {
        return usable() >= STOP_BELOW;
    }

    boolean isEnoughToStart() {
        return usable() >= START_FROM;
    }

    private long usable() {
        return folder.toFile().getUsableSpace(); // one call of the system; FileStore reads the table of mounts first
    }
}
