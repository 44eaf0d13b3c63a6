package dev.orderly.platform.process;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;

/**
 * The state of a process, as {@code run/status.json} has it; texts where JSON has no type.
 *
 * @param pid of the process itself, not of its guard; 0 while there is none
 * @param since when it entered this state
 */
public record ProcessStatus(String name, State state, long pid, int restarts, String since, int port, String log) {
    public enum State {
        @JsonProperty("starting")
        STARTING,
        @JsonProperty("ready")
        READY,
        @JsonProperty("restarting")
        RESTARTING,
        @JsonProperty("waiting for disk space")
        WAITING_FOR_SPACE,
        @JsonProperty("stopped")
        STOPPED;

        @Override
        public String toString() {
            return this == WAITING_FOR_SPACE ? "waiting for disk space" : name().toLowerCase(Locale.ROOT);
        }
    }

    @JsonIgnore
    public boolean isReady() {
        return state == State.READY && pid != 0;
    }

    static ProcessStatus starting(ManagedProcess process, Path log) {
        return new ProcessStatus(process.name(), State.STARTING, 0, 0, now(), process.port(), log.toString());
    }

    private static String now() {
        return Instant.now().toString();
    }

    ProcessStatus started(long process) {
        return new ProcessStatus(name, state, process, restarts, since, port, log);
    }

    ProcessStatus ready() {
        return new ProcessStatus(name, State.READY, pid, restarts, now(), port, log);
    }

    ProcessStatus restarting() {
        return new ProcessStatus(name, State.RESTARTING, 0, restarts + 1, now(), port, log);
    }

    ProcessStatus waitingForSpace() {
        return new ProcessStatus(name, State.WAITING_FOR_SPACE, 0, restarts, now(), port, log);
    }

    /** Also for a reader of the status file who finds that the process is gone. */
    public ProcessStatus stopped() {
        return new ProcessStatus(name, State.STOPPED, 0, restarts, now(), port, log);
    }
}
