package dev.orderly.cli;

import dev.orderly.platform.ServiceDefinition;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.process.HealthProbe;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** When what {@code docker-compose up} has started can be used. */
final class ComposeReadiness {
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(180);

    private ComposeReadiness() {}

    /** Returns when all services are ready, and a relay runs for each; the containers may only just have been started. */
    static void await(PlatformSettings settings, List<ServiceDefinition> services) throws InterruptedException {
        var waiting = new LinkedHashMap<String, HealthProbe>();
        var connect = new ConnectWorker(settings);
        for (ServiceDefinition service : services) {
            waiting.put(service.name(), HealthProbe.http(service.url("/q/health/ready")));
            var relay = connect.url("/connectors/" + service.database() + "-outbox/tasks/0/status");
            waiting.put("the relay of " + service.name(), HealthProbe.http(relay));
        }
        Instant deadline = Instant.now().plus(PATIENCE);
        while (!waiting.isEmpty()) {
            for (var part : List.copyOf(waiting.entrySet())) {
                if (part.getValue().yes()) {
                    waiting.remove(part.getKey());
                }
            }
            if (!waiting.isEmpty()) {
                if (Instant.now().isAfter(deadline)) {
                    throw new CommandFailedException("not ready after " + PATIENCE.toSeconds() + " s: "
                            + String.join(", ", waiting.keySet()) + "; docker-compose ps tells more");
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
        }
    }
}
