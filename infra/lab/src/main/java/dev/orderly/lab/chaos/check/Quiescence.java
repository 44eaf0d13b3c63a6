package dev.orderly.lab.chaos.check;

import static dev.orderly.testkit.RunningPlatform.DATABASES;
import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.TOPIC;

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

/** Whether the system has come to rest: everything runs, and everything that was to be done is done. */
public final class Quiescence {

    /** Looking twice, with this between: what is done causes what is to be done. */
    private static final Duration PAUSE = Duration.ofSeconds(2);

    private static final String CUSTOMERS = "customer-service";
    private static final String READERS_OF_CUSTOMERS = "notification-customer-consumer-group";

    private final RunningPlatform system;
    private final boolean audited;
    private Map<TopicPartition, Long> lastEnds = Map.of();
    /** Orders, payments, letters and events, when it was last asked. */
    private long toDo;

    /** @param audited whether the auditors must have looked at everything, too: what they find is still to be done */
    public Quiescence(RunningPlatform system, boolean audited) {
        this.system = system;
        this.audited = audited;
    }

    /**
     * Returns when all is quiet, with nothing; or, when for so long there was never less to do than before, with what is not.
     * How long it takes to work off what has piled up says something of the machine; to get no further is the fault.
     */
    public List<String> await(Duration atMost) throws InterruptedException {
        long least = Long.MAX_VALUE;
        long deadline = System.nanoTime() + atMost.toNanos();
        while (true) {
            var open = open();
            if (open.isEmpty() || System.nanoTime() > deadline) {
                return open;
            }
            if (toDo < least) {
                least = toDo;
                deadline = System.nanoTime() + atMost.toNanos();
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
        }
    }

    private List<String> open() throws InterruptedException {
        toDo = 0;
        var open = new ArrayList<>(system.brokenParts());
        open.addAll(system.brokenRelays());
        try {
            count(open, "orders", "orders are undecided", "orders WHERE status = 'PENDING'");
            count(
                    open,
                    "orders",
                    "orders are undecided in the view",
                    "order_view WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED')");
            count(open, "payments", "payments wait for the gateway", "payment WHERE due_at IS NOT NULL");
            count(open, "notifications", "letters are not sent", "notification WHERE state = 'PENDING'");
            for (String database : DATABASES) {
                if (audited) {
                    count(
                            open,
                            database,
                            "events are not audited: " + database,
                            "outbox, outbox_audit WHERE topic <> 'outbox-heartbeat' AND recorded_at >= audited_until");
                }
                count(
                        open,
                        "postgres",
                        "relay is more than 16 MB behind: " + database,
                        "pg_replication_slots WHERE slot_name = 'outbox_" + database
                                + "' AND pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) > 16777216");
            }
            lag(open);
        } catch (SQLException | ExecutionException e) {
            open.add("cannot be asked: " + e.getMessage());
            toDo = Long.MAX_VALUE;
        }
        return open;
    }

    private void count(List<String> open, String database, String what, String from) throws SQLException {
        try (var connection = system.connect(database);
                var select = connection.createStatement();
                var row = select.executeQuery("SELECT count(*) FROM " + from)) {
            row.next();
            if (row.getLong(1) > 0) {
                toDo += row.getLong(1);
                open.add(row.getLong(1) + " " + what);
            }
        }
    }

    private void lag(List<String> open) throws ExecutionException, InterruptedException {
        var ends = new HashMap<TopicPartition, Long>();
        var latest = new HashMap<TopicPartition, OffsetSpec>();
        system.admin()
                .describeTopics(Set.of(TOPIC, CUSTOMERS))
                .allTopicNames()
                .get()
                .forEach((topic, description) -> description
                        .partitions()
                        .forEach(p -> latest.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest())));
        system.admin().listOffsets(latest).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
        for (String group : GROUPS.keySet()) {
            lag(open, group, TOPIC, ends);
        }
        lag(open, READERS_OF_CUSTOMERS, CUSTOMERS, ends);
        if (!ends.equals(lastEnds)) {
            open.add("there were new events a moment ago");
        }
        lastEnds = ends;
    }

    private void lag(List<String> open, String group, String topic, Map<TopicPartition, Long> ends)
            throws ExecutionException, InterruptedException {
        var committed = system.admin()
                .listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        long lag = 0;
        for (var end : ends.entrySet()) {
            if (end.getKey().topic().equals(topic)) {
                var position = committed.get(end.getKey());
                lag += end.getValue() - (position == null ? 0 : position.offset());
            }
        }
        if (lag > 0) {
            toDo += lag;
            open.add(group + " is " + lag + " events behind");
        }
    }
}
