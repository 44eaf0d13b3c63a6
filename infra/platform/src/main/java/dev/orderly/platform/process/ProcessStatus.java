package dev.orderly.platform.process;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.file.Path;
import java.time.Instant;

/**
 * What is known of a part, as {@code run/status.json} has it.
 *
 * @param pid of the part itself, not of its guard; 0 while there is none
 * @param since when it got into this state
 */
public record ProcessStatus(String name, State state, long pid, int restarts, Instant since, int port, Path log) {
    /** A part's way through life. */
    public enum State {
        @JsonProperty("starting")
        STARTING,
        @JsonProperty("ready")
        READY,
        @JsonProperty("restarting")
        RESTARTING,
        @JsonProperty("stopped")
        STOPPED;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    ProcessStatus started(long process) {
        return new ProcessStatus(name, state, process, restarts, since, port, log);
    }

    ProcessStatus ready() {
        return new ProcessStatus(name, State.READY, pid, restarts, Instant.now(), port, log);
    }

    ProcessStatus restarting() {
        return new ProcessStatus(name, State.RESTARTING, 0, restarts + 1, Instant.now(), port, log);
    }

    ProcessStatus stopped() {
        return new ProcessStatus(name, State.STOPPED, 0, restarts, Instant.now(), port, log);
    }
}
