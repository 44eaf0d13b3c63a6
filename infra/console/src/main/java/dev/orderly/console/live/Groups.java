package dev.orderly.console.live;

import static java.util.Comparator.comparing;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;

/** What the brokers say of topics and consumer groups: five requests, however many there are. */
final class Groups {

    private static final long TIMEOUT_SECONDS = 5;

    private final Admin admin;
    private final Set<String> own;
    private final EndOffsets ends = new EndOffsets();

    /** @param leader -1 while there is none */
    record TopicPart(int id, int leader, List<Integer> isr, long end) {}

    record Topic(String name, List<TopicPart> partitions) {}

    /** @param committed -1 if nothing was yet @param member its client id; null without one */
    record Assigned(String topic, int partition, long committed, long end, long lag, double seconds, String member) {}

    /**
     * @param own whether the system itself reads in it
     * @param lag in records
     * @param seconds the largest of its partitions
     */
    record Group(
            String name, boolean own, String state, int members, long lag, double seconds, List<Assigned> partitions) {

        Group withoutPartitions() {
            return new Group(name, own, state, members, lag, seconds, List.of());
        }
    }

    /** @param brokers that answer */
    record Sample(List<Integer> brokers, List<Topic> topics, List<Group> groups) {}

    /** @param own the names of the system's own */
    Groups(Admin admin, Set<String> own) {
        this.admin = admin;
        this.own = own;
    }

    Sample sample(long now) throws ExecutionException, TimeoutException, InterruptedException {
        var cluster = admin.describeCluster().nodes();
        var listed = admin.listGroups(ListGroupsOptions.forConsumerGroups()).all();
        var topicNames = admin.listTopics().names();
        var topics = admin.describeTopics(get(topicNames)).allTopicNames();
        var names = get(listed).stream().map(GroupListing::groupId).toList();
        var described = admin.describeConsumerGroups(names).describedGroups();
        var specs = new HashMap<String, ListConsumerGroupOffsetsSpec>();
        names.forEach(name -> specs.put(name, new ListConsumerGroupOffsetsSpec()));
        var committed = admin.listConsumerGroupOffsets(specs);

        var wanted = new HashMap<TopicPartition, OffsetSpec>();
        get(topics)
                .values()
                .forEach(topic -> topic.partitions()
                        .forEach(
                                p -> wanted.put(new TopicPartition(topic.name(), p.partition()), OffsetSpec.latest())));
        var offsets = admin.listOffsets(wanted);
        var lengths = new HashMap<TopicPartition, Long>();
        for (var partition : wanted.keySet()) {
            try {
                lengths.put(partition, get(offsets.partitionResult(partition)).offset());
            } catch (ExecutionException _) {
                // without a leader; the topic says so
            }
        }
        ends.add(now, lengths);

        var groups = new ArrayList<Group>();
        for (var name : names) {
            try {
                groups.add(group(
                        get(described.get(name)), get(committed.partitionsToOffsetAndMetadata(name)), lengths, now));
            } catch (ExecutionException _) {
                // deleted since, or its coordinator is moving
            }
        }
        groups.sort(comparing(Group::name));
        return new Sample(
                get(cluster).stream().map(Node::id).sorted().toList(),
                get(topics).values().stream()
                        .map(topic -> topic(topic, lengths))
                        .sorted(comparing(Topic::name))
                        .toList(),
                groups);
    }

    private static <T> T get(KafkaFuture<T> future) throws ExecutionException, TimeoutException, InterruptedException {
        return future.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    private static Topic topic(TopicDescription topic, Map<TopicPartition, Long> lengths) {
        return new Topic(
                topic.name(),
                topic.partitions().stream()
                        .map(p -> new TopicPart(
                                p.partition(),
                                p.leader() == null
                                        ? Node.noNode().id()
                                        : p.leader().id(),
                                p.isr().stream().map(Node::id).sorted().toList(),
                                lengths.getOrDefault(new TopicPartition(topic.name(), p.partition()), -1L)))
                        .toList());
    }

    private Group group(
            ConsumerGroupDescription description,
            Map<TopicPartition, OffsetAndMetadata> committed,
            Map<TopicPartition, Long> lengths,
            long now) {
        var members = new HashMap<TopicPartition, String>();
        description
                .members()
                .forEach(member -> member.assignment()
                        .topicPartitions()
                        .forEach(partition ->
                                members.put(partition, member.groupInstanceId().orElse(member.clientId()))));
        var all = new HashMap<>(members);
        committed.keySet().forEach(partition -> all.putIfAbsent(partition, null));
        var partitions = all.keySet().stream()
                .sorted(comparing(TopicPartition::topic).thenComparing(TopicPartition::partition))
                .map(partition -> assigned(partition, committed.get(partition), lengths, members.get(partition), now))
                .toList();
        return new Group(
                description.groupId(),
                own.contains(description.groupId()),
                description.groupState().toString(),
                description.members().size(),
                partitions.stream().mapToLong(Assigned::lag).sum(),
                partitions.stream().mapToDouble(Assigned::seconds).max().orElse(0),
                partitions);
    }

    private Assigned assigned(
            TopicPartition partition,
            OffsetAndMetadata position,
            Map<TopicPartition, Long> lengths,
            String member,
            long now) {
        long committed = position == null ? -1 : position.offset();
        long end = lengths.getOrDefault(partition, -1L);
        // Of a partition where nothing is committed, everything is unread.
        long lag = end < 0 ? 0 : Math.max(0, end - Math.max(0, committed));
        double seconds = lag == 0 ? 0 : ends.secondsBehind(partition, Math.max(0, committed), now);
        return new Assigned(partition.topic(), partition.partition(), committed, end, lag, seconds, member);
    }
}
