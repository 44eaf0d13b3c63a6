package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import dev.orderly.database.UuidV7;
import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.Topic;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.eclipse.microprofile.config.ConfigProvider;

/** The topics of orders and customers, filled by a test in place of the other services and the relay. */
public final class OrderTopic implements AutoCloseable {

    private final Map<String, Object> cluster = cluster();
    private final KafkaProducer<String, byte[]> producer;
    private Admin admin;

    public OrderTopic() {
        this(null);
    }

    /** @param transactionalId of a producer that works in transactions, or null */
    public OrderTopic(String transactionalId) {
        var settings = new LinkedHashMap<String, Object>(cluster);
        settings.put("linger.ms", 20); // so that records that are sent together are consumed as one batch
        if (transactionalId != null) {
            settings.put("transactional.id", transactionalId);
            settings.put("transaction.timeout.ms", 10_000); // more the brokers refuse
        }
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    /** The settings of a Kafka client that may do everything, in place of a relay or an attacker. */
    public static Map<String, Object> cluster() {
        var config = ConfigProvider.getConfig();
        return StreamSupport.stream(config.getPropertyNames().spliterator(), false)
                .filter(name -> name.startsWith(RealPlatform.KAFKA))
                .collect(Collectors.toMap(
                        name -> name.substring(RealPlatform.KAFKA.length()),
                        name -> config.getValue(name, String.class)));
    }

    /** A record that carries an event in the wire format; {@link #header} and {@link #with} damage it. */
    public static ProducerRecord<String, byte[]> record(String source, int version, Event event) {
        var value = EventJson.write(event);
        var record = new ProducerRecord<>(
                event.topic().topicName(), event.id().toString(), value == null ? null : value.getBytes(UTF_8));
        header(record, EventHeaders.ID, UuidV7.next().toString());
        header(record, EventHeaders.TYPE, event.getClass().getSimpleName());
        header(record, EventHeaders.SOURCE, source);
        header(record, EventHeaders.VERSION, String.valueOf(version));
        header(record, EventHeaders.SCHEMA, String.valueOf(event.schema()));
        return record;
    }

    /** Sets a header, or removes it when the value is null. */
    public static ProducerRecord<String, byte[]> header(
            ProducerRecord<String, byte[]> record, String name, String value) {
        record.headers().remove(name);
        if (value != null) {
            record.headers().add(name, value.getBytes(UTF_8));
        }
        return record;
    }

    /** The same headers under another key or with another value. */
    public static ProducerRecord<String, byte[]> with(ProducerRecord<String, byte[]> record, String key, byte[] value) {
        return new ProducerRecord<>(record.topic(), null, key, value, record.headers());
    }

    public void publish(String source, int version, OrderEvent event) {
        publish(List.of(record(source, version, event)));
    }

    /** Sends them in a transaction that is aborted: they are on the topic, but are not published. */
    public void publishAndAbort(List<ProducerRecord<String, byte[]>> records) {
        producer.initTransactions();
        producer.beginTransaction();
        publish(records);
        producer.abortTransaction();
        // The broker appends the marker of the abort a moment later. Behind the next record it would be an
        // end of the topic that no consumer reaches: a marker is not delivered.
        var topic = records.getFirst().topic();
        await().until(() -> asAdmin(admin -> ends(admin, topic, IsolationLevel.READ_COMMITTED)
                .equals(ends(admin, topic, IsolationLevel.READ_UNCOMMITTED))));
    }

    /** Returns when the broker has them all. */
    public void publish(List<ProducerRecord<String, byte[]>> records) {
        try {
            var sent = new ArrayList<Future<?>>();
            records.forEach(record -> sent.add(producer.send(record)));
            for (var future : sent) {
                future.get(10, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the group has committed the offsets of all that is on the topic of orders. */
    public boolean isConsumedBy(String group) {
        return isConsumedBy(group, Topic.ORDERS);
    }

    public boolean isConsumedBy(String group, Topic topic) {
        return asAdmin(admin -> {
            var committed = admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get();
            return ends(admin, topic.topicName(), IsolationLevel.READ_UNCOMMITTED).entrySet().stream()
                    .allMatch(partition -> {
                        var position = committed.get(partition.getKey());
                        return partition.getValue() == 0
                                || position != null && position.offset() == partition.getValue();
                    });
        });
    }

    /** Deletes all records of the topic of orders, as its retention would. */
    public void deleteRecords() {
        asAdmin(admin -> {
            var all = new HashMap<TopicPartition, RecordsToDelete>();
            ends(admin, Topic.ORDERS.topicName(), IsolationLevel.READ_UNCOMMITTED)
                    .forEach((partition, end) -> all.put(partition, RecordsToDelete.beforeOffset(end)));
            return admin.deleteRecords(all).all().get();
        });
    }

    private static Map<TopicPartition, Long> ends(Admin admin, String topic, IsolationLevel isolation)
            throws InterruptedException, ExecutionException {
        var latest = new HashMap<TopicPartition, OffsetSpec>();
        admin.describeTopics(Set.of(topic))
                .topicNameValues()
                .get(topic)
                .get()
                .partitions()
                .forEach(
                        partition -> latest.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest()));
        var ends = new HashMap<TopicPartition, Long>();
        admin.listOffsets(latest, new ListOffsetsOptions(isolation))
                .all()
                .get()
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    private interface AdminCall<T> {
        T on(Admin admin) throws InterruptedException, ExecutionException;
    }

    private synchronized <T> T asAdmin(AdminCall<T> call) {
        try {
            if (admin == null) {
                admin = Admin.create(cluster); // once: a login takes a while
            }
            return call.on(admin);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        producer.close();
        if (admin != null) {
            admin.close();
        }
    }
}
