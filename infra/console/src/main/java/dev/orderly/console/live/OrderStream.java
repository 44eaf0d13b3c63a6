package dev.orderly.console.live;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.console.event.EventValues;
import io.quarkus.runtime.ShutdownEvent;
import io.smallrye.common.annotation.Identifier;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jboss.logging.Logger;

/**
 * Follows the topic of orders, and the heartbeats of the outboxes, from now on: one consumer for all pages,
 * in no group, and only while a page is open.
 */
@ApplicationScoped
public class OrderStream {

    private static final Logger LOG = Logger.getLogger(OrderStream.class);

    static final String ORDERS = "order-service";
    private static final String HEARTBEATS = "outbox-heartbeat";
    private static final Duration POLL = Duration.ofMillis(500);
    /** How often it is checked whether the topic has grown. */
    private static final Duration PARTITIONS_CHECK = Duration.ofSeconds(10);
    /** Orders in progress whose customer is remembered. */
    private static final int MAX_CUSTOMERS = 10_000;

    private final Map<String, Object> settings;
    private final Pages pages;
    private final EventValues values;
    private final AtomicBoolean runs = new AtomicBoolean();
    private volatile KafkaConsumer<String, byte[]> consumer;
    private volatile boolean stopping;

    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
    private final Map<String, Long> heartbeats = new ConcurrentHashMap<>();
    private final Map<String, String> customers = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
            return size() > MAX_CUSTOMERS;
        }
    };

    /** An event of an order, as pages get it. */
    record OrderMessage(String orderId, String type, String source, int partition, long offset, long at) {}

    OrderStream(@Identifier("default-kafka-broker") Map<String, Object> broker, Pages pages, EventValues values) {
        this.settings = new HashMap<>(broker);
        settings.putAll(Map.of(
                "client.id",
                "console",
                "enable.auto.commit",
                false,
                "auto.offset.reset",
                "latest",
                "allow.auto.create.topics",
                false,
                "isolation.level",
                "read_committed",
                "fetch.max.bytes",
                1 << 20,
                "max.partition.fetch.bytes",
                1 << 18,
                "request.timeout.ms",
                10_000,
                "default.api.timeout.ms",
                10_000));
        settings.remove("group.id");
        this.pages = pages;
        this.values = values;
    }

    /** Called every second: starts with the first page or after a failure, and ends after the last page. */
    void runWhilePagesAreOpen() {
        if (pages.count() > 0 && !stopping && runs.compareAndSet(false, true)) {
            Thread.ofVirtual().name("order-stream").start(this::run);
        }
    }

    void stop(@Observes ShutdownEvent event) {
        stopping = true;
        var running = consumer;
        if (running != null) {
            running.wakeup();
        }
    }

    private void run() {
        try (var opened = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer = opened;
            follow(opened);
        } catch (WakeupException _) {
            // the process stops
        } catch (KafkaException e) {
            LOG.warnf("events are not followed for now: %s", e.getMessage());
        } finally {
            consumer = null;
            runs.set(false);
        }
    }

    private void follow(KafkaConsumer<String, byte[]> opened) {
        long check = System.nanoTime();
        while (pages.count() > 0 && !stopping) {
            if (System.nanoTime() - check >= 0) {
                assign(opened);
                check = System.nanoTime() + PARTITIONS_CHECK.toNanos();
            }
            opened.poll(POLL).forEach(this::received);
        }
    }

    /** New partitions from their beginning, since what is in them is new as well. */
    private static void assign(KafkaConsumer<String, byte[]> consumer) {
        var all = Stream.of(ORDERS, HEARTBEATS)
                .flatMap(topic -> consumer.partitionsFor(topic).stream())
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .toList();
        var before = consumer.assignment();
        if (before.size() != all.size()) {
            consumer.assign(all);
            var added = all.stream()
                    .filter(partition -> !before.contains(partition))
                    .toList();
            if (before.isEmpty()) {
                consumer.seekToEnd(added);
            } else {
                consumer.seekToBeginning(added);
            }
        }
    }

    private void received(ConsumerRecord<String, byte[]> event) {
        var source = header(event.headers(), "source");
        if (event.topic().equals(HEARTBEATS)) {
            heartbeats.put(source, event.timestamp());
            return;
        }
        var type = header(event.headers(), "type");
        counts.computeIfAbsent(type, _ -> new LongAdder()).increment();
        if (event.key() != null) {
            pages.order(
                    new OrderMessage(event.key(), type, source, event.partition(), event.offset(), event.timestamp()),
                    customer(event));
        }
    }

    /** Only some events say whose order it is. */
    private String customer(ConsumerRecord<String, byte[]> event) {
        var value = values.of(event);
        if (value == null || !value.isObject()) {
            return null; // poison: it is shown to operators
        }
        var customer = value.path("customerId").textValue();
        if (customer == null) {
            return customers.get(event.key());
        }
        customers.put(event.key(), customer);
        return customer;
    }

    private static String header(Headers headers, String name) {
        var header = headers.lastHeader(name);
        return header == null || header.value() == null ? "" : new String(header.value(), UTF_8);
    }

    /** Events since the last call, by type. */
    Map<String, Long> takeCounts() {
        var taken = new HashMap<String, Long>();
        counts.forEach((type, count) -> taken.put(type, count.sumThenReset()));
        return taken;
    }

    /** When the newest heartbeat of each outbox arrived, in milliseconds since 1970. */
    Map<String, Long> heartbeats() {
        return Map.copyOf(heartbeats);
    }
}
