package dev.orderly.platform.kafka;

import dev.orderly.platform.config.CommandFailedException;
import dev.orderly.platform.config.Secrets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** The consumer groups that the brokers know: who reads for each, and how far it is. */
public final class ConsumerGroups implements AutoCloseable {
    private final Set<String> ofServices;
    private final Set<String> named;
    private final Map<String, Object> settings;
    private final Admin admin;

    /** @param end of the partition, the offset of the next record */
    public record Position(TopicPartition partition, long committed, long end) {
        /** Records that wait; 0 also when the topic was made again and ends before what was committed. */
        public long lag() {
            return Math.max(0, end - committed);
        }
    }

    /** @param known whether it is one that {@code users.json} names: of a service, or of Connect */
    public record Group(String name, GroupState state, int members, boolean known, List<Position> positions) {
        public long lag() {
            return positions.stream().mapToLong(Position::lag).sum();
        }

        /** Whether no more than its place is lost with it: it has no member, and is not the system's own. */
        public boolean isRemovable() {
            return !known && members == 0 && (state == GroupState.EMPTY || state == GroupState.DEAD);
        }
    }

    /** @param bootstrapServers internal listeners */
    public ConsumerGroups(Path infra, String bootstrapServers, Secrets secrets) {
        var users = KafkaUsers.read(infra);
        this.ofServices = users.groupsOfServices();
        this.named = users.groups();
        this.settings =
                new HashMap<>(KafkaLogin.of(secrets, KafkaLogin.ADMIN).internalSettings(secrets.certificates()));
        settings.putAll(Map.of(
                "bootstrap.servers", bootstrapServers,
                "client.id", "groups",
                "request.timeout.ms", "5000",
                "default.api.timeout.ms", "15000"));
        this.admin = Admin.create(settings);
    }

    /** The names of the groups that services read in, whether the brokers know them yet or not. */
    public Set<String> ofServices() {
        return ofServices;
    }

    /** All, by name. */
    public List<Group> list() throws InterruptedException {
        try {
            var names = admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get().stream()
                    .map(GroupListing::groupId)
                    .collect(Collectors.toCollection(TreeSet::new));
            var described = admin.describeConsumerGroups(names).describedGroups();
            var committed = admin.listConsumerGroupOffsets(
                    names.stream().collect(Collectors.toMap(group -> group, _ -> new ListConsumerGroupOffsetsSpec())));
            var offsets = new HashMap<String, Map<TopicPartition, OffsetAndMetadata>>();
            for (String name : names) {
                offsets.put(name, committed.partitionsToOffsetAndMetadata(name).get());
            }
            var ends = ends(offsets.values());
            var groups = new ArrayList<Group>();
            for (String name : names) {
                var group = described.get(name).get();
                groups.add(new Group(
                        name,
                        group.groupState(),
                        group.members().size(),
                        named.contains(name),
                        positions(offsets.get(name), ends)));
            }
            return groups;
        } catch (ExecutionException | KafkaException e) {
            throw new CommandFailedException("the brokers do not say how the groups are: " + e.getMessage(), e);
        }
    }

    private Map<TopicPartition, Long> ends(Collection<Map<TopicPartition, OffsetAndMetadata>> committed)
            throws ExecutionException, InterruptedException {
        var partitions = committed.stream()
                .flatMap(offsets -> offsets.keySet().stream())
                .distinct()
                .collect(Collectors.toMap(partition -> partition, _ -> OffsetSpec.latest()));
        var asked = admin.listOffsets(partitions);
        var ends = new HashMap<TopicPartition, Long>();
        for (var partition : partitions.keySet()) {
            try {
                ends.put(partition, asked.partitionResult(partition).get().offset());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                } // of a topic that was deleted: nothing waits there
            }
        }
        return ends;
    }

    private static List<Position> positions(
            Map<TopicPartition, OffsetAndMetadata> committed, Map<TopicPartition, Long> ends) {
        return committed.entrySet().stream()
                .filter(offset -> offset.getValue() != null && ends.containsKey(offset.getKey()))
                .map(offset -> new Position(offset.getKey(), offset.getValue().offset(), ends.get(offset.getKey())))
                .sorted(Comparator.comparing(
                                (Position position) -> position.partition().topic())
                        .thenComparing(position -> position.partition().partition()))
                .toList();
    }

    /** @throws CommandFailedException when the brokers do not say */
    public int partitionsOf(String topic) throws InterruptedException {
        try {
            var described = admin.describeTopics(List.of(topic)).topicNameValues();
            return described.get(topic).get().partitions().size();
        } catch (ExecutionException e) {
            throw new CommandFailedException("the brokers do not describe " + topic + ": " + e.getMessage(), e);
        }
    }

    /** When each of the groups last committed an offset; not of those that never did. */
    public Map<String, Instant> lastCommits(Collection<String> groups) {
        try (var commits = new CommittedOffsets(settings)) {
            return commits.lastCommits(groups);
        } catch (KafkaException e) {
            throw new CommandFailedException("cannot read when groups committed: " + e.getMessage(), e);
        }
    }

    /** @throws CommandFailedException when it has got a member since it was listed; then it stays */
    public void remove(Group group) throws InterruptedException {
        try {
            admin.deleteConsumerGroups(List.of(group.name())).all().get();
        } catch (ExecutionException e) {
            throw new CommandFailedException(
                    group.name() + " stays: " + e.getCause().getMessage(), e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ZERO);
    }
}
