package dev.orderly.lab.chaos.check;

import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.testkit.RunningPlatform;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Looks at the services about every second while things go wrong, for what cannot be seen afterwards. */
public final class AvailabilityMonitor implements AutoCloseable {

    private static final Pattern DUPLICATES =
            Pattern.compile("orderly_events_total\\{group=\"([^\"]+)\",outcome=\"duplicate\"\\} (\\S+)");
    private static final String DECIDER = "order-service";

    private final RunningPlatform system;
    private final Map<String, Double> last = new HashMap<>();
    private final Map<String, Double> sums = new ConcurrentHashMap<>();
    private final List<TimeSpan> away = new CopyOnWriteArrayList<>();
    private Instant lastReady = Instant.now();
    private boolean wasReady = true;
    private final Thread sampler = Thread.ofVirtual().name("watch").unstarted(this::sampleUntilClosed);

    public AvailabilityMonitor(RunningPlatform system) {
        this.system = system;
        sampler.start();
    }

    /** What the services count as duplicates, across their restarts; what a killed one had counted last is lost. */
    public long duplicates() {
        return (long) sums.values().stream().mapToDouble(d -> d).sum();
    }

    /** When the service that decides orders, or what it stands on, was not there. */
    public List<TimeSpan> away() {
        return List.copyOf(away);
    }

    private void sampleUntilClosed() {
        try {
            while (true) {
                for (String service : RunningPlatform.SERVICES) {
                    countDuplicates(service);
                }
                noteAbsence();
                TimeUnit.SECONDS.sleep(1);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private void countDuplicates(String service) throws InterruptedException {
        var metrics = system.ask("GET", system.url(service, "/q/metrics"), null).orElse("");
        var found = DUPLICATES.matcher(metrics);
        while (found.find()) {
            double now = Double.parseDouble(found.group(2));
            double before = last.getOrDefault(found.group(1), 0.0);
            sums.merge(found.group(1), now >= before ? now - before : now, Double::sum);
            last.put(found.group(1), now);
        }
    }

    private void noteAbsence() throws InterruptedException {
        boolean ready =
                system.ask("GET", system.url(DECIDER, "/q/health/ready"), null).isPresent();
        if (ready) {
            if (!wasReady) {
                away.add(new TimeSpan(lastReady, Instant.now()));
            }
            lastReady = Instant.now();
        }
        wasReady = ready;
    }

    @Override
    public void close() {
        sampler.interrupt();
    }
}
