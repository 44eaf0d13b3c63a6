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
import dev.orderly.platform.kafka.KafkaUsers;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
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
    private final Set<String> ofServices =
            KafkaUsers.read(Checkout.path().resolve("infra")).groupsOfServices();
    private final Instant start = Instant.now();
    private URI connect;
    private String authorization;
    private ServiceDatabases databases;
    private Admin admin;

    /** What a step still waits for, by name. */
    private interface Pending {
        Collection<String> names() throws IOException, InterruptedException, ExecutionException;
    }

    /** @param assigned partitions of the topic that its members have */
    private record Group(String name, int members, long assigned, Map<TopicPartition, OffsetAndMetadata> committed) {}

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
                    () -> relaysBut(relay -> stateOf(relay).equals("STOPPED")
                            && relay.path("status").path("tasks").isEmpty()));
            say("the relays have stopped; orders are accepted, their events wait in the outboxes");
            await("all groups to read to the end", this::lagging);
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
                () -> relaysBut(relay -> stateOf(relay).equals("RUNNING")
                        && relay.path("status")
                                .path("tasks")
                                .findValuesAsText("state")
                                .equals(List.of("RUNNING"))));
        say("the relays run");
        await("all groups to have the new partitions", this::incomplete);
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

    private List<String> relaysBut(Predicate<JsonNode> done) throws IOException, InterruptedException {
        return relays().entrySet().stream()
                .filter(relay -> !done.test(relay.getValue()))
                .map(Map.Entry::getKey)
                .toList();
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

    /**
     * The groups that read the topic: of services, also those without a member, which will go on where they
     * were; of others those that have one. While a group rebalances its members have no partitions, so it is
     * known by its offsets too.
     */
    private List<Group> groups() throws InterruptedException, ExecutionException {
        var names = admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().stream()
                .map(GroupListing::groupId)
                .toList();
        var groups = new ArrayList<Group>();
        for (var described : admin.describeConsumerGroups(names).all().get().values()) {
            var name = described.groupId();
            var committed = new HashMap<>(admin.listConsumerGroupOffsets(name)
                    .partitionsToOffsetAndMetadata()
                    .get());
            committed.keySet().removeIf(partition -> !partition.topic().equals(TOPICS.getFirst()));
            long assigned = described.members().stream()
                    .flatMap(member -> member.assignment().topicPartitions().stream())
                    .filter(partition -> partition.topic().equals(TOPICS.getFirst()))
                    .count();
            int members = described.members().size();
            if ((assigned > 0 || !committed.isEmpty()) && (members > 0 || ofServices.contains(name))) {
                groups.add(new Group(name, members, assigned, committed));
            }
        }
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
        var lagging = new TreeSet<String>();
        for (var group : groups()) {
            ends.forEach((partition, end) -> {
                var position = group.committed.get(partition);
                if (end.offset() > 0 && (position == null || position.offset() < end.offset())) {
                    lagging.add(group.name);
                }
            });
        }
        return lagging;
    }

    /** Those of the groups in which a partition is not assigned. One without members gets them all later. */
    private List<String> incomplete() throws InterruptedException, ExecutionException {
        return groups().stream()
                .filter(group -> group.members > 0 && group.assigned < partitions)
                .map(Group::name)
                .toList();
    }

    private void await(String what, Pending pending) throws IOException, InterruptedException, ExecutionException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(deadline);
        while (true) {
            var names = pending.names();
            if (names.isEmpty()) {
                return;
            }
            if (System.nanoTime() > end) {
                throw new CommandFailedException("waited %d s for %s, but for %s; the relays continue"
                        .formatted(deadline, what, String.join(", ", names)));
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
    }

    private void say(String what) {
        System.out.printf(
                "%6.1f s  %s%n", Duration.between(start, Instant.now()).toMillis() / 1000.0, what);
    }
}
