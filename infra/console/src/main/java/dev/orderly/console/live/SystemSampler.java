package dev.orderly.console.live;

import dev.orderly.console.config.ConsoleConfig;
import dev.orderly.console.demo.DemoDatabases;
import dev.orderly.console.demo.DemoPlatform;
import dev.orderly.console.demo.OrderLoad;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;

/**
 * Samples the system: the lag of groups every 5 s, for its history, and every 2 s while an operator looks;
 * all else every second. Each kind by itself, so that brokers or a database that do not answer hold up
 * nothing else: the page shows how it was, and which part is down.
 */
@ApplicationScoped
class SystemSampler {

    private static final Logger LOG = Logger.getLogger(SystemSampler.class);

    private static final Duration TICK = Duration.ofSeconds(1);
    private static final int KEEP_OPEN_TICKS = 15;
    /** With the brokers' answers a page costs most of what it costs, so not every second. */
    private static final int WATCHED_TICKS = 2;

    private static final int SLOW_TICKS = (int) LagHistory.INTERVAL.dividedBy(TICK);
    private static final Duration ANSWER = Duration.ofSeconds(2);
    /** An outbox that is idle has a heartbeat every second or two. */
    private static final Duration HEARTBEAT_LATE = Duration.ofSeconds(10);

    /** The database of an outbox, and the service that its heartbeats name. */
    private static final Map<String, String> OUTBOXES = new TreeMap<>(Map.of(
            "orders", "order-service",
            "inventory", "inventory-service",
            "payments", "payment-service",
            "notifications", "notification-service"));

    private static final String SLOTS = """
            SELECT slot_name AS name, active,
                   pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint AS bytes
            FROM pg_replication_slots
            WHERE slot_name LIKE 'outbox\\_%'
            """;

    private final Pages pages;
    private final OrderStream orders;
    private final LagHistory history;
    private final DemoPlatform platform;
    private final DemoDatabases databases;
    private final OrderLoad load;
    private final ConsoleConfig config;
    private final Clock clock;
    private final Admin admin;
    private final Groups groups;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(ANSWER).build();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("sampler").factory());
    private final AtomicBoolean samplingGroups = new AtomicBoolean();
    private final AtomicBoolean samplingRest = new AtomicBoolean();

    private volatile Groups.Sample sample = new Groups.Sample(List.of(), List.of(), List.of());
    private volatile long sampledAt;
    private volatile List<Relay> relays = List.of();
    private volatile Long parked;
    private volatile List<DemoPlatform.Part> probed = List.of();
    private int tick;

    /** @param slotLagBytes what the relay has not confirmed; null where that cannot be read */
    record Relay(String name, String state, Long slotLagBytes, Long heartbeatAgeMs) {}

    record Rates(long placed, long confirmed, long rejected, long cancelled) {}

    /** @param sampledAt when the brokers were last asked with success, in milliseconds since 1970 */
    record SystemMessage(
            long at,
            long sampledAt,
            List<DemoPlatform.Part> parts,
            List<Groups.Topic> topics,
            List<Groups.Group> groups,
            Rates rates,
            List<Relay> relays,
            Long parked,
            OrderLoad.Status load) {}

    SystemSampler(
            Pages pages,
            OrderStream orders,
            LagHistory history,
            DemoPlatform platform,
            DemoDatabases databases,
            OrderLoad load,
            ConsoleConfig config,
            Clock clock,
            @Identifier("default-kafka-broker") Map<String, Object> broker) {
        this.pages = pages;
        this.orders = orders;
        this.history = history;
        this.platform = platform;
        this.databases = databases;
        this.load = load;
        this.config = config;
        this.clock = clock;
        var settings = new HashMap<>(broker);
        // A broker that is paused, not dead, refuses nothing: the others are asked soon.
        settings.putAll(Map.of("client.id", "console", "request.timeout.ms", 3_000, "default.api.timeout.ms", 5_000));
        this.admin = Admin.create(settings);
        this.groups = new Groups(admin, platform.ownGroups());
    }

    void start(@Observes StartupEvent event) {
        timer.scheduleAtFixedRate(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    void stop(@Observes ShutdownEvent event) {
        timer.shutdownNow();
        admin.close(Duration.ZERO);
    }

    private void tick() {
        try {
            boolean slow = tick++ % SLOW_TICKS == 0;
            boolean watched = pages.anyOperator();
            orders.runWhilePagesAreOpen();
            pages.nextSecond();
            if (slow || watched && tick % WATCHED_TICKS == 0) {
                alone(samplingGroups, () -> sampleGroups(slow));
            }
            if (watched) {
                alone(samplingRest, () -> sampleRest(slow));
                pages.system(message());
            }
            if (tick % KEEP_OPEN_TICKS == 0) {
                pages.keepOpen();
            }
        } catch (RuntimeException e) {
            LOG.error("a second was not sampled", e); // or the timer would end
        }
    }

    /** On a thread of its own, unless the last time has not ended yet. */
    private static void alone(AtomicBoolean busy, Runnable work) {
        if (busy.compareAndSet(false, true)) {
            Thread.ofVirtual().start(() -> {
                try {
                    work.run();
                } finally {
                    busy.set(false);
                }
            });
        }
    }

    private void sampleGroups(boolean keep) {
        try {
            sample = groups.sample(clock.millis());
            sampledAt = clock.millis();
            if (keep) {
                history.add(sampledAt, sample.groups());
            }
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            LOG.debugf(e, "the brokers do not answer now");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void sampleRest(boolean slow) {
        relays = relays();
        if (slow && databases.exist()) {
            parked = parked();
        }
        if (slow && !platform.isDemo()) {
            probed = probe();
        }
    }

    private List<Relay> relays() {
        var slots = new HashMap<String, Map<String, Object>>();
        var found = databases.query("orders", SLOTS);
        found.ifPresent(rows -> rows.forEach(row -> slots.put((String) row.get("name"), row)));
        var heartbeats = orders.heartbeats();
        var relays = new ArrayList<Relay>();
        OUTBOXES.forEach((database, service) -> {
            var name = "outbox_" + database;
            var slot = slots.get(name);
            var beat = heartbeats.get(service);
            var age = beat == null ? null : (Long) Math.max(0, clock.millis() - beat);
            boolean runs = slot != null
                    ? Boolean.TRUE.equals(slot.get("active"))
                    : age != null && age < HEARTBEAT_LATE.toMillis();
            relays.add(
                    new Relay(name, runs ? "running" : "stopped", slot == null ? null : (Long) slot.get("bytes"), age));
        });
        return relays;
    }

    private Long parked() {
        long sum = 0;
        for (var database : DemoDatabases.ALL) {
            var rows = databases.query(database, "SELECT count(*) AS n FROM parked_event");
            if (rows.isEmpty()) {
                return null; // a sum of some would be taken for all
            }
            sum += (Long) rows.get().getFirst().get("n");
        }
        return sum;
    }

    /** Where no launcher says how the parts are: brokers that answer, and services whose answer is no 5xx. */
    private List<DemoPlatform.Part> probe() {
        var parts = new ArrayList<DemoPlatform.Part>();
        sample.brokers().forEach(id -> parts.add(part("kafka-" + id, "broker", true)));
        config.services().forEach((name, service) -> parts.add(part(name, "service", answers(service))));
        return parts;
    }

    private static DemoPlatform.Part part(String name, String kind, boolean up) {
        return new DemoPlatform.Part(name, kind, up ? "up" : "down", "", 0, 0, 0);
    }

    private boolean answers(URI service) {
        try {
            var request =
                    HttpRequest.newBuilder(service.resolve("/")).timeout(ANSWER).build();
            return http.send(request, BodyHandlers.discarding()).statusCode() < 500;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private SystemMessage message() {
        var counts = orders.takeCounts();
        return new SystemMessage(
                clock.millis(),
                sampledAt,
                platform.isDemo() ? platform.parts() : probed,
                sample.topics(),
                sample.groups(),
                new Rates(
                        counts.getOrDefault("OrderPlaced", 0L),
                        counts.getOrDefault("OrderConfirmed", 0L),
                        counts.getOrDefault("OrderRejected", 0L),
                        counts.getOrDefault("OrderCancelled", 0L)),
                relays,
                parked,
                load.status());
    }
}
