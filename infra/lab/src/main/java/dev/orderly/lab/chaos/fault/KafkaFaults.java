package dev.orderly.lab.chaos.fault;

import static dev.orderly.testkit.RunningPlatform.GROUPS;
import static dev.orderly.testkit.RunningPlatform.TOPIC;

import dev.orderly.lab.chaos.fault.FaultInjector.FaultNotInjected;
import dev.orderly.testkit.RunningPlatform;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Elections, records that should not be on the topic, and groups that read again. */
final class KafkaFaults implements AutoCloseable {
    private static final Duration MAX_RESET_TIME = Duration.ofSeconds(60);
    private static final int MAX_DUPLICATES = 200;
    private static final int PARTITIONS = 3;

    private final RunningPlatform system;
    private final ProcessFaults processes;
    private final Disturbances disturbances;
    private final KafkaProducer<String, byte[]> producer;

    KafkaFaults(RunningPlatform system, ProcessFaults processes, Disturbances disturbances) {
        this.system = system;
        this.disturbances = disturbances;
        this.processes = processes;
        var settings = system.kafka(Map.of("client.id", "chaos", "acks", "all"));
        this.producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    void killController(Fault fault) throws InterruptedException, IOException, ExecutionException, FaultNotInjected {
        int leader = system.admin().describeMetadataQuorum().quorumInfo().get().leaderId();
        processes.signal("KILL", "kafka-" + leader);
    }

    void moveLeaders(Fault fault) throws InterruptedException, ExecutionException {
        system.admin().electLeaders(ElectionType.PREFERRED, null).partitions().get();
    }

    /** Sends records of the topic again, shuffled. All were there before, so their order must not matter. */
    void republish(Fault fault) throws InterruptedException, ExecutionException {
        var random = new Random(fault.randomParameter());
        var copies = new ArrayList<ProducerRecord<String, byte[]>>();
        try (var consumer = new KafkaConsumer<>(
                system.kafka(Map.of("max.poll.records", MAX_DUPLICATES)),
                new StringDeserializer(),
                new ByteArrayDeserializer())) {
            var partition = new TopicPartition(TOPIC, random.nextInt(PARTITIONS));
            consumer.assign(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            consumer.seek(partition, end == 0 ? 0 : random.nextLong(end));
            for (var record : consumer.poll(Duration.ofSeconds(5))) {
                if (PoisonRecord.in(record).isEmpty()) {
                    copies.add(new ProducerRecord<>(
                            TOPIC, record.partition(), record.key(), record.value(), record.headers()));
                }
            }
        }
        Collections.shuffle(copies, random);
        copies.forEach(producer::send);
        producer.flush();
        disturbances.republished().addAndGet(copies.size());
    }

    void poison(Fault fault) throws InterruptedException, ExecutionException {
        producer.send(PoisonRecord.named(fault.target()).record()).get();
    }

    /** A group with members cannot be reset: its service is killed, and the group reset before it is back. */
    void rewind(Fault fault) throws InterruptedException, ExecutionException, IOException, FaultNotInjected {
        var group = fault.target();
        var service = GROUPS.get(group);
        var target = new HashMap<TopicPartition, OffsetAndMetadata>();
        system.admin()
                .listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get()
                .forEach((partition, committed) -> {
                    long offset = Math.max(0, committed.offset() - fault.randomParameter());
                    target.put(partition, new OffsetAndMetadata(offset));
                    disturbances.rewinds().add(new Disturbances.ConsumerPosition(group, partition, offset));
                });
        processes.signal("KILL", service);
        long deadline = System.nanoTime() + MAX_RESET_TIME.toNanos();
        while (true) {
            try {
                system.admin()
                        .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
                        .all()
                        .get();
                system.admin().alterConsumerGroupOffsets(group, target).all().get();
                return;
            } catch (ExecutionException e) {
                if (System.nanoTime() > deadline || system.part(service).isReady()) {
                    throw new FaultNotInjected("the group had members again: " + e.getCause());
                }
                TimeUnit.MILLISECONDS.sleep(50);
            }
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
    }
}
