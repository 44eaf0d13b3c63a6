package dev.orderly.lab.chaos.check;

import static dev.orderly.testkit.RunningPlatform.DATABASES;
import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.TOPIC;

import dev.orderly.lab.chaos.fault.Sql;
import dev.orderly.testkit.RunningPlatform;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/** Whether the system is quiescent: every process and relay runs, and no work is pending. */
public final class Quiescence {

    /** Ends of topics must not move between two checks, since work that is done causes more. */
    private static final Duration INTERVAL = Duration.ofSeconds(2);

    private static final String CUSTOMERS_TOPIC = "customer-service";
    private static final String CUSTOMERS_GROUP = "notification-customer-consumer-group";

    private final RunningPlatform system;
    private final boolean audited;
    private Map<TopicPartition, Long> lastEnds = Map.of();
    /** Orders, payments, messages and events at the last check. */
    private long backlog;

    private List<String> pending = List.of();

    /**
     * @param audited whether the auditors must have checked everything, too: what they find missing is
     *     pending work
     */
    public Quiescence(RunningPlatform system, boolean audited) {
        this.system = system;
        this.audited = audited;
    }

    /**
     * Returns what is pending when the backlog has not shrunk for that long; nothing once the system is
     * quiescent. How long a backlog takes depends on the machine: a violation is to make no progress.
     */
    public List<String> await(Duration maxStall) throws InterruptedException {
        long leastBacklog = Long.MAX_VALUE;
        long deadline = System.nanoTime() + maxStall.toNanos();
        while (true) {
            check();
            if (pending.isEmpty() || System.nanoTime() > deadline) {
                return pending;
            }
            if (backlog < leastBacklog) {
                leastBacklog = backlog;
                deadline = System.nanoTime() + maxStall.toNanos();
            }
            TimeUnit.MILLISECONDS.sleep(INTERVAL.toMillis());
        }
    }

    private void check() throws InterruptedException {
        backlog = 0;
        pending = new ArrayList<>(system.brokenParts());
        pending.addAll(system.brokenRelays());
        try {
            count("orders", "orders are undecided", "orders WHERE status = 'PENDING'");
            count(
                    "orders",
                    "orders are undecided in the view",
                    "order_view WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED')");
            count("payments", "payments wait for the gateway", "payment WHERE due_at IS NOT NULL");
            count("notifications", "messages are not sent", "notification WHERE state = 'PENDING'");
            for (String database : DATABASES) {
                if (audited) {
                    count(
                            database,
                            "events are not audited: " + database,
                            "outbox, outbox_audit WHERE topic <> 'outbox-heartbeat' AND recorded_at >= audited_until");
                }
                count(
                        "postgres",
                        "relay is more than 16 MB behind: " + database,
                        "pg_replication_slots WHERE slot_name = 'outbox_" + database
                                + "' AND pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) > 16777216");
            }
            lag();
        } catch (SQLException | ExecutionException e) {
            pending.add("the state cannot be read: " + e.getMessage());
            backlog = Long.MAX_VALUE;
        }
    }

    private void count(String database, String what, String from) throws SQLException {
        add(
                Long.parseLong(Sql.column(system, database, "SELECT count(*) FROM " + from)
                        .getFirst()),
                what);
    }

    private void add(long number, String what) {
        backlog += number;
        if (number > 0) {
            pending.add(number + " " + what);
        }
    }

    private void lag() throws ExecutionException, InterruptedException {
        var latest = new HashMap<TopicPartition, OffsetSpec>();
        var topics = system.admin().describeTopics(Set.of(TOPIC, CUSTOMERS_TOPIC));
        topics.allTopicNames()
                .get()
                .forEach((topic, description) -> description
                        .partitions()
                        .forEach(p -> latest.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest())));
        var ends = new HashMap<TopicPartition, Long>();
        system.admin().listOffsets(latest).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
        for (String group : GROUPS.keySet()) {
            add(lag(group, TOPIC, ends), "events behind: " + group);
        }
        add(lag(CUSTOMERS_GROUP, CUSTOMERS_TOPIC, ends), "events behind: " + CUSTOMERS_GROUP);
        if (!ends.equals(lastEnds)) {
            pending.add("new events since the last check");
        }
        lastEnds = ends;
    }

    private long lag(String group, String topic, Map<TopicPartition, Long> ends)
            throws ExecutionException, InterruptedException {
        var offsets = system.admin().listConsumerGroupOffsets(group);
        var committed = offsets.partitionsToOffsetAndMetadata().get();
        return ends.entrySet().stream()
                .filter(end -> end.getKey().topic().equals(topic))
                .mapToLong(end -> {
                    var position = committed.get(end.getKey());
                    return end.getValue() - (position == null ? 0 : position.offset());
                })
                .sum();
    }
}
