package dev.orderly.lab.chaos.check;

import dev.orderly.lab.chaos.fault.TimeSpan;
import dev.orderly.testkit.RunningPlatform;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** Samples the services about every second while faults are injected, for what cannot be seen afterwards. */
public final class AvailabilityMonitor implements AutoCloseable {

    private static final Pattern DUPLICATES =
            Pattern.compile("orderly_events_total\\{group=\"([^\"]+)\",outcome=\"duplicate\"\\} (\\S+)");
    private static final String DECIDING_SERVICE = "order-service";
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** With the interval, an outage that excuses late decisions begins 4 s before it is seen, at the most. */
    private static final Duration MAX_RESPONSE = Duration.ofSeconds(3);

    private final RunningPlatform system;
    private final Map<String, Double> last = new HashMap<>();
    private final Map<String, Double> sums = new ConcurrentHashMap<>();
    private final List<TimeSpan> outages = new CopyOnWriteArrayList<>();
    private Instant lastReady = Instant.now();
    private boolean wasReady = true;
    private final List<Thread> samplers;

    public AvailabilityMonitor(RunningPlatform system) {
        this.system = system;
        // In two loops: the metrics of a frozen service take 10 s each time, and readiness must not wait.
        samplers = List.of(
                untilClosed("readiness-monitor", this::sampleReadiness),
                untilClosed("duplicates-monitor", this::sampleDuplicates));
    }

    private interface Sample {
        void take() throws InterruptedException;
    }

    /** What the services counted, without what a killed one counted after its last sample. */
    public long duplicates() {
        return (long) sums.values().stream().mapToDouble(d -> d).sum();
    }

    /** When the service that decides orders, or what it depends on, was not available. */
    public List<TimeSpan> outages() {
        return List.copyOf(outages);
    }

    private static Thread untilClosed(String name, Sample sample) {
        return Thread.ofVirtual().name(name).start(() -> {
            try {
                while (true) {
                    sample.take();
                    TimeUnit.MILLISECONDS.sleep(INTERVAL.toMillis());
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt(); // closed
            }
        });
    }

    private void sampleDuplicates() throws InterruptedException {
        for (String service : RunningPlatform.SERVICES) {
            sampleDuplicates(service);
        }
    }

    private void sampleDuplicates(String service) throws InterruptedException {
        var metrics = system.askManagement(service, "/q/metrics").orElse("");
        var found = DUPLICATES.matcher(metrics);
        while (found.find()) {
            double now = Double.parseDouble(found.group(2));
            double before = last.getOrDefault(found.group(1), 0.0);
            sums.merge(found.group(1), now >= before ? now - before : now, Double::sum);
            last.put(found.group(1), now);
        }
    }

    private void sampleReadiness() throws InterruptedException {
        boolean ready = system.askManagement(DECIDING_SERVICE, "/q/health/ready", MAX_RESPONSE)
                .isPresent();
        if (ready) {
            if (!wasReady) {
                outages.add(new TimeSpan(lastReady, Instant.now()));
            }
            lastReady = Instant.now();
        }
        wasReady = ready;
    }

    @Override
    public void close() {
        samplers.forEach(Thread::interrupt);
    }
}
