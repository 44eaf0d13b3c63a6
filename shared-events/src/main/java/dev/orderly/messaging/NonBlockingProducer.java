package dev.orderly.messaging;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A topic that takes in what comes by HTTP in bursts, straight away: no outbox, no database, and so nothing that must be true
 * together with it. What is acknowledged is on all in-sync replicas. Nobody ever waits for the brokers, or for room: a record
 * that cannot be taken now fails now.
 */
public final class NonBlockingProducer implements AutoCloseable {

    private final String topic;
    private final KafkaProducer<String, byte[]> producer;

    /**
     * @param kafka how to reach the brokers
     * @param clientId what the brokers know this producer by, and set its quota for
     * @param tuning settings of the producer, among them {@code buffer.memory}: what may be under way, in bytes
     */
    public NonBlockingProducer(Map<String, Object> kafka, String topic, String clientId, Map<String, Object> tuning) {
        this.topic = topic;
        var config = new HashMap<>(kafka);
        config.put("client.id", clientId);
        config.put("acks", "all");
        config.put("enable.idempotence", true);
        config.put("compression.type", "lz4");
        config.put("delivery.timeout.ms", 10_000);
        config.put("request.timeout.ms", 5_000);
        // The callers' threads are the event loop's: a producer that would wait for the brokers or for room says no.
        config.put("max.block.ms", 0);
        config.putAll(tuning);
        producer = new KafkaProducer<>(config, new StringSerializer(), new ByteArraySerializer());
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
     * To be called every second: a producer forgets where a topic is that nobody writes to, and here nobody waits until it has
     * found out again.
     */
    public void remember() {
        try {
            producer.partitionsFor(topic);
        } catch (KafkaException _) {
            // It asks the brokers now, and knows the next time.
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(2));
    }
}
