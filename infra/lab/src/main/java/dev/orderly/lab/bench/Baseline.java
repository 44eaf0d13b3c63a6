package dev.orderly.lab.bench;

import dev.orderly.testkit.RunningPlatform;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What the same servers do without the services: bare SQL, and a bare producer. */
final class Baseline {
    private static final int CONNECTIONS = 8;
    private static final int PAYLOAD = 400;
    private static final int GROUP = 100;
    private static final int MAX_IN_FLIGHT = 10_000;
    private static final String TOPIC = "bench-baseline";

    private final RunningPlatform system;
    private final Duration time;

    Baseline(RunningPlatform system, Duration time) {
        this.system = system;
        this.time = time;
    }

    /** Orders per second, each a row of an order and of an event: one a transaction, and a hundred. */
    Map<String, Double> sql() throws SQLException, InterruptedException, ExecutionException {
        try (var connection = system.connect("postgres");
                var statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS bench_order, bench_event");
            statement.execute("CREATE TABLE bench_order (id uuid PRIMARY KEY, payload text)");
            statement.execute("CREATE TABLE bench_event"
                    + " (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid, payload text)");
            try {
                double single = ordersPerSecond(1);
                return Map.of(
                        "bare SQL, 1 order a commit", single, "bare SQL, 100 orders a commit", ordersPerSecond(GROUP));
            } finally {
                statement.execute("DROP TABLE bench_order, bench_event");
            }
        }
    }

    private double ordersPerSecond(int group) throws InterruptedException, ExecutionException {
        var done = new AtomicLong();
        long start = System.nanoTime();
        long end = start + time.toNanos();
        try (var threads = Executors.newFixedThreadPool(CONNECTIONS)) {
            var workers = new ArrayList<Future<?>>();
            for (int i = 0; i < CONNECTIONS; i++) {
                workers.add(threads.submit(() -> {
                    try (var connection = system.connect("postgres")) {
                        connection.setAutoCommit(false);
                        while (System.nanoTime() < end) {
                            insert(connection, group);
                            connection.commit();
                            done.addAndGet(group);
                        }
                    }
                    return null;
                }));
            }
            for (var worker : workers) {
                worker.get();
            }
        }
        return done.get() * 1e9 / (System.nanoTime() - start);
    }

    private static void insert(Connection connection, int group) throws SQLException {
        var ids = new UUID[group];
        var payloads = new String[group];
        for (int i = 0; i < group; i++) {
            ids[i] = UUID.randomUUID();
            payloads[i] = "x".repeat(PAYLOAD);
        }
        for (var sql : List.of(
                "INSERT INTO bench_order SELECT * FROM unnest(?::uuid[], ?::text[])",
                "INSERT INTO bench_event (id, payload) SELECT * FROM unnest(?::uuid[], ?::text[])")) {
            try (var insert = connection.prepareStatement(sql)) {
                insert.setObject(1, ids);
                insert.setObject(2, payloads);
                insert.executeUpdate();
            }
        }
    }

    /** Records per second that a producer with acks=all gets acknowledged, on a topic like that of orders. */
    double kafka() throws InterruptedException, ExecutionException {
        var settings = system.kafka(Map.of("acks", "all", "linger.ms", 5, "compression.type", "lz4"));
        try (var admin = Admin.create(system.kafka(Map.of()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, Optional.of(3), Optional.empty())
                            .configs(Map.of("retention.ms", "60000"))))
                    .all()
                    .get();
            try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
                var payload = new byte[PAYLOAD];
                var acknowledged = new AtomicLong();
                var sent = 0L;
                long start = System.nanoTime();
                while (System.nanoTime() - start < time.toNanos()) {
                    if (sent - acknowledged.get() < MAX_IN_FLIGHT) {
                        producer.send(
                                new ProducerRecord<>(TOPIC, UUID.randomUUID().toString(), payload), (_, e) -> {
                                    if (e == null) {
                                        acknowledged.incrementAndGet();
                                    }
                                });
                        sent++;
                    } else {
                        Thread.onSpinWait();
                    }
                }
                producer.flush();
                return acknowledged.get() * 1e9 / (System.nanoTime() - start);
            } finally {
                admin.deleteTopics(List.of(TOPIC)).all().get();
            }
        }
    }
}
