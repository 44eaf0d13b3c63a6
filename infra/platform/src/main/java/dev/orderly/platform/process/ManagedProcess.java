package dev.orderly.platform.process;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One process of the platform, as the {@link ProcessSupervisor} needs to know it.
 *
 * @param environment all it is told, on top of {@link #INHERITED}
 * @param ready whether it does its work
 * @param alive whether it still can; asked once it was ready, "no" three times in a row restarts it
 */
public record ManagedProcess(
        String name,
        int port,
        List<String> command,
        Map<String, String> environment,
        Stop stop,
        HealthProbe ready,
        HealthProbe alive) {
    /** What a part may see of the user's own environment: enough to run, nothing that configures. */
    static final Set<String> INHERITED = Set.of("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ");

    public static final HealthProbe ALWAYS = () -> true;

    /** How to end it: the signal that asks, and how long it may take before it is killed. */
    public record Stop(String signal, Duration grace) {
        public static Stop term(Duration grace) {
            return new Stop("TERM", grace);
        }
    }
}
