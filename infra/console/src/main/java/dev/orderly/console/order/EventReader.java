package dev.orderly.console.order;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import dev.orderly.console.event.EventValues;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Reads records of the topic of orders whose places are known: so it never scans. */
@ApplicationScoped
class EventReader {

    private static final String TOPIC = "order-service";
    private static final Duration POLL = Duration.ofMillis(500);
    /** Of one call, with brokers that do not answer. */
    private static final Duration MAX_TIME = Duration.ofSeconds(4);

    private final Map<String, Object> settings;
    private final EventValues values;
    private KafkaConsumer<String, byte[]> consumer;

    record Place(int partition, long offset) {}

    /** A record as it is on the topic, and its value as JSON. */
    record Found(Place place, long timestamp, String key, Map<String, String> headers, JsonNode value) {}

    EventReader(@Identifier("default-kafka-broker") Map<String, Object> broker, EventValues values) {
        this.values = values;
        settings = new HashMap<>(broker);
        settings.putAll(Map.of(
                "client.id",
                "console-order",
                "enable.auto.commit",
                false,
                "auto.offset.reset",
                "none",
                "allow.auto.create.topics",
                false,
                "max.poll.records",
                100,
                "max.partition.fetch.bytes",
                1 << 16,
                "request.timeout.ms",
                3_000,
                "default.api.timeout.ms",
                4_000));
        settings.remove("group.id");
    }

    /** Those that are still there, in the order of their places. One caller at a time. */
    synchronized List<Found> read(List<Place> places) {
        if (consumer == null) {
            consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        }
        var byPartition = new TreeMap<Integer, List<Long>>();
        places.forEach(place -> byPartition
                .computeIfAbsent(place.partition, _ -> new ArrayList<>())
                .add(place.offset));
        long deadline = System.nanoTime() + MAX_TIME.toNanos();
        var found = new ArrayList<Found>();
        byPartition.forEach((partition, offsets) -> {
            offsets.sort(null);
            found.addAll(read(new TopicPartition(TOPIC, partition), offsets, deadline));
        });
        return found;
    }

    private List<Found> read(TopicPartition partition, List<Long> offsets, long deadline) {
        var found = new ArrayList<Found>();
        consumer.assign(List.of(partition));
        long first = consumer.beginningOffsets(List.of(partition)).get(partition);
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        var wanted = new ArrayList<>(offsets);
        wanted.removeIf(offset -> offset < first || offset >= end); // expired, or of another topic of this name
        while (!wanted.isEmpty() && System.nanoTime() < deadline) {
            consumer.seek(partition, wanted.getFirst());
            for (var record : consumer.poll(POLL)) {
                if (wanted.remove(record.offset())) {
                    found.add(found(record));
                }
            }
        }
        return found;
    }

    private Found found(ConsumerRecord<String, byte[]> record) {
        var headers = new TreeMap<String, String>();
        record.headers()
                .forEach(header ->
                        headers.put(header.key(), header.value() == null ? null : new String(header.value(), UTF_8)));
        return new Found(
                new Place(record.partition(), record.offset()),
                record.timestamp(),
                record.key(),
                headers,
                values.of(record));
    }

    synchronized void stop(@Observes ShutdownEvent event) {
        if (consumer != null) {
            consumer.close();
        }
    }
}
