package dev.orderly.platform.operations;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.PlatformSettings;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.connect.ConnectWorker;
import dev.orderly.platform.connect.RelayPauseLock;
import dev.orderly.platform.kafka.KafkaLogin;
import dev.orderly.platform.postgres.ServiceDatabases;
import dev.orderly.platform.process.HealthProbe;
import dev.orderly.platform.process.StatusFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/**
 * Adds partitions to the topic of orders, while orders are accepted. Most keys move to another partition
 * then, where an event could be read before an older one of its order in the partition of before. So the
 * relays stop first, and the outboxes buffer; then all groups read to the end; then there is nothing left
 * that could be overtaken.
 */
public final class PartitionScaler {
    private static final List<String> TOPICS = List.of("order-service", "order-service.dlq");
    private static final Duration POLL = Duration.ofMillis(200);
    private static final JsonMapper JSON = new JsonMapper();

    private final Path data;
    private final int partitions;
    private final long deadline;
    private final Instant start = Instant.now();
    private URI connect;
    private String authorization;
    private ServiceDatabases databases;
    private Admin admin;

    private interface Condition {
        boolean holds() throws IOException, InterruptedException, ExecutionException;
    }

    private PartitionScaler(Path data, int partitions, Duration deadline) {
        this.data = data;
        this.partitions = partitions;
        this.deadline = deadline.toSeconds();
    }

    /**
     * Returns when all groups read all partitions of the platform that runs on a state folder.
     *
     * @param deadline for each step; then everything continues as before
     */
    public static void grow(Path data, int partitions, Duration deadline)
            throws IOException, InterruptedException, ExecutionException {
        new PartitionScaler(data, partitions, deadline).grow();
    }

    private void grow() throws IOException, InterruptedException, ExecutionException {
        var running = StatusFile.running(data);
        connect = URI.create("http://%s:%d/connectors"
                .formatted(PlatformSettings.HOST, running.ports().connect()));
        var secrets = Secrets.of(data, List.of());
        authorization = ConnectWorker.authorization(secrets.of(Secrets.CONNECT));
        databases = new ServiceDatabases(
                Checkout.path().resolve("infra"),
                PlatformSettings.HOST,
                running.ports().postgres(),
                secrets);
        var brokers = IntStream.range(0, running.brokers())
                .mapToObj(
                        broker -> PlatformSettings.HOST + ":" + (running.ports().kafka() + broker))
                .collect(Collectors.joining(","));
        var settings = new HashMap<String, Object>(
                KafkaLogin.of(secrets, KafkaLogin.ADMIN).settings(secrets.certificates()));
        settings.putAll(Map.of("bootstrap.servers", brokers, "client.id", "scale"));
        try (var client = Admin.create(settings)) {
            admin = client;
            int now = partitionsOf(TOPICS.getFirst());
            if (partitions < now) {
                throw new CommandFailedException("there are " + now + " partitions, and Kafka cannot take any away");
            }
            if (partitions == now) {
                say("there are " + now + " partitions already");
                return;
            }
            try (var pause = pauseLock()) {
                grow(pause);
            } catch (SQLException e) {
                throw new CommandFailedException("PostgreSQL was lost: " + e.getMessage(), e);
            }
        }
    }

    private RelayPauseLock pauseLock() throws InterruptedException {
        var end = Instant.now().plusSeconds(deadline);
        while (true) {
            try {
                return RelayPauseLock.take(databases.connect(Secrets.SUPERUSER));
            } catch (SQLException e) {
                if (Instant.now().isAfter(end)) {
                    throw new CommandFailedException("cannot lock the relays: " + e.getMessage(), e);
                }
                TimeUnit.MILLISECONDS.sleep(500); // busy, or starting
            }
        }
    }

    private void grow(RelayPauseLock pause) throws IOException, InterruptedException, ExecutionException, SQLException {
        var relays = relays().keySet();
        // Whatever happens from here on, Ctrl-C included: events must flow again.
        var resume = new Thread(() -> resume(relays));
        Runtime.getRuntime().addShutdownHook(resume);
        try {
            // Not "pause": a paused task keeps its producer, and with it the old number of partitions.
            for (var relay : relays) {
                change(relay, "stop");
            }
            await(
                    "the relays to stop",
                    () -> relays().values().stream()
                            .allMatch(relay -> stateOf(relay).equals("STOPPED")
                                    && relay.path("status").path("tasks").isEmpty()));
            say("the relays have stopped; orders are accepted, their events wait in the outboxes");
            await("all groups to read to the end", () -> lagging().isEmpty());
            say("all groups have read to the end");
            if (!pause.isValid()) {
                throw new CommandFailedException(
                        "PostgreSQL was lost, so the relays may run again; nothing was changed");
            }
            for (var topic : TOPICS) {
                if (partitionsOf(topic) < partitions) {
                    admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions)))
                            .all()
                            .get();
                }
            }
            say("there are " + partitions + " partitions");
        } finally {
            Runtime.getRuntime().removeShutdownHook(resume);
            resume(relays);
        }
        await(
                "the relays to run",
                () -> relays().values().stream()
                        .allMatch(relay -> stateOf(relay).equals("RUNNING")
                                && relay.path("status")
                                        .path("tasks")
                                        .findValuesAsText("state")
                                        .equals(List.of("RUNNING"))));
        say("the relays run");
        await("all groups to have the new partitions", () -> incomplete().isEmpty());
        say("all groups read all partitions");
    }

    private void resume(Set<String> relays) {
        for (var relay : relays) {
            try {
                change(relay, "resume");
            } catch (IOException e) {
                System.err.println("orderly: " + relay + " could not be resumed: " + e.getMessage());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The connectors by name, each as Connect describes it. */
    private Map<String, JsonNode> relays() throws IOException, InterruptedException {
        var relays = new LinkedHashMap<String, JsonNode>();
        JSON.readTree(send("GET", "?expand=status"))
                .properties()
                .forEach(relay -> relays.put(relay.getKey(), relay.getValue()));
        return relays;
    }

    private static String stateOf(JsonNode relay) {
        return relay.path("status").path("connector").path("state").asText();
    }

    private void change(String relay, String change) throws IOException, InterruptedException {
        send("PUT", "/" + relay + "/" + change);
    }

    private String send(String method, String path) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(connect + path))
                .timeout(Duration.ofSeconds(10))
                .header("Authorization", authorization)
                .method(method, BodyPublishers.noBody())
                .build();
        var response = HealthProbe.HTTP.send(request, BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new CommandFailedException(
                    method + " " + request.uri() + " answered " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }

    private int partitionsOf(String topic) throws InterruptedException, ExecutionException {
        return admin.describeTopics(List.of(topic))
                .topicNameValues()
                .get(topic)
                .get()
                .partitions()
                .size();
    }

    /** The groups that have members and read the topic. */
    private Set<String> groups() throws InterruptedException, ExecutionException {
        var names = admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().stream()
                .map(GroupListing::groupId)
                .toList();
        var groups = new HashSet<String>();
        admin.describeConsumerGroups(names).all().get().forEach((name, group) -> {
            boolean reads = group.members().stream()
                    .flatMap(member -> member.assignment().topicPartitions().stream())
                    .anyMatch(partition -> partition.topic().equals(TOPICS.getFirst()));
            if (reads) {
                groups.add(name);
            }
        });
        return groups;
    }

    /** Those of the groups that have not committed the end of each partition. */
    private Set<String> lagging() throws InterruptedException, ExecutionException {
        var latest = new HashMap<TopicPartition, OffsetSpec>();
        int count = partitionsOf(TOPICS.getFirst());
        for (int partition = 0; partition < count; partition++) {
            latest.put(new TopicPartition(TOPICS.getFirst(), partition), OffsetSpec.latest());
        }
        var ends = admin.listOffsets(latest).all().get();
        var lagging = new HashSet<String>();
        for (String group : groups()) {
            var committed = admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get();
            ends.forEach((partition, end) -> {
                var position = committed.get(partition);
                if (end.offset() > 0 && (position == null || position.offset() < end.offset())) {
                    lagging.add(group);
                }
            });
        }
        return lagging;
    }

    /** Those of the groups in which a partition is not assigned. */
    private Set<String> incomplete() throws InterruptedException, ExecutionException {
        var incomplete = new HashSet<String>();
        admin.describeConsumerGroups(groups()).all().get().forEach((name, group) -> {
            long assigned = group.members().stream()
                    .flatMap(member -> member.assignment().topicPartitions().stream())
                    .filter(partition -> partition.topic().equals(TOPICS.getFirst()))
                    .count();
            if (assigned < partitions) {
                incomplete.add(name);
            }
        });
        return incomplete;
    }

    private void await(String what, Condition condition) throws IOException, InterruptedException, ExecutionException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(deadline);
        while (!condition.holds()) {
            if (System.nanoTime() > end) {
                throw new CommandFailedException(
                        "waited " + deadline + " s for " + what + " without success; the relays continue");
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
    }

    private void say(String what) {
        System.out.printf(
                "%6.1f s  %s%n", Duration.between(start, Instant.now()).toMillis() / 1000.0, what);
    }
}
