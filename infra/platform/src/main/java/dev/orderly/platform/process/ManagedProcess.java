package dev.orderly.platform.process;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One process of the platform, as the {@link ProcessSupervisor} needs to know it.
 *
 * @param environment all of it but {@link #INHERITED}
 * @param ready whether it can do its work
 * @param alive checked once it was ready; three failures in a row restart it
 * @param needsSpace not run while the disk is nearly full, see {@link DiskSpace}
 */
public record ManagedProcess(
        String name,
        int port,
        List<String> command,
        Map<String, String> environment,
        Stop stop,
        HealthProbe ready,
        HealthProbe alive,
        boolean needsSpace) {

    public ManagedProcess(
            String name,
            int port,
            List<String> command,
            Map<String, String> environment,
            Stop stop,
            HealthProbe ready,
            HealthProbe alive) {
        this(name, port, command, environment, stop, ready, alive, false);
    }

    public ManagedProcess withCommand(List<String> other) {
        return new ManagedProcess(name, port, other, environment, stop, ready, alive, needsSpace);
    }

    /** With this variable, unless it has one of the name. */
    public ManagedProcess withDefault(String name, String value) {
        var variables = new HashMap<>(environment);
        variables.putIfAbsent(name, value);
        return new ManagedProcess(this.name, port, command, variables, stop, ready, alive, needsSpace);
    }

    /** The variables of the user's own environment that it gets: enough to run, nothing that configures. */
    public static final Set<String> INHERITED = Set.of("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ");

    public static final HealthProbe ALWAYS = () -> true;

    /** The signal that stops it, and how long that may take before it is killed. */
    public record Stop(String signal, Duration grace) {
        public static Stop term(Duration grace) {
            return new Stop("TERM", grace);
        }
    }
}
