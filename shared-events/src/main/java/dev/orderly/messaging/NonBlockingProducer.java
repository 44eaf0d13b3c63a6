package dev.orderly.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Writes what arrives by HTTP in bursts to a topic, without an outbox: there is no state in a database that
 * it must agree with. What is acknowledged is on all in-sync replicas. No caller ever waits for the brokers,
 * or for room in the buffer: a record that cannot be accepted now fails now.
 */
public final class NonBlockingProducer implements AutoCloseable {

    private final String topic;
    private final Producer<String, byte[]> producer;

    /**
     * @param kafka the connection to the brokers
     * @param clientId by which the brokers identify this producer and apply its quota
     * @param tuning settings of the producer, among them {@code buffer.memory}: the bytes in flight
     */
    public NonBlockingProducer(Map<String, Object> kafka, String topic, String clientId, Map<String, Object> tuning) {
        var config = new HashMap<>(kafka);
        config.put("client.id", clientId);
        config.put("acks", "all");
        config.put("enable.idempotence", true);
        config.put("compression.type", "lz4");
        config.put("delivery.timeout.ms", 10_000);
        config.put("request.timeout.ms", 5_000);
        // The callers' threads are the event loop's, which must not block.
        config.put("max.block.ms", 0);
        config.putAll(tuning);
        this(topic, new KafkaProducer<>(config, new StringSerializer(), new ByteArraySerializer()));
    }

    /** For a test that acknowledges by itself. */
    public NonBlockingProducer(String topic, Producer<String, byte[]> producer) {
        this.topic = topic;
        this.producer = producer;
    }

    /** @param done is called once, on any thread, with the failure or with null for it */
    public void send(String key, byte[] value, Callback done) {
        try {
            producer.send(new ProducerRecord<>(topic, key, value), done);
        } catch (KafkaException e) {
            done.onCompletion(null, e);
        }
    }

    /**
     * To be called every second. A producer drops the metadata of a topic that it does not write to, and
     * {@link #send} does not wait until it has them again.
     */
    public void cacheMetadata() {
        try {
            producer.partitionsFor(topic);
        } catch (KafkaException _) {
            // By this it requests them, and has them the next time.
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(2));
    }
}
