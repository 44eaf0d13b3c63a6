package dev.orderly.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.orderly.events.EventHeaders;
import dev.orderly.messaging.EventHandler;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Events of orders that nobody placed, with fields of any number and text, for the handlers of a service. */
public final class EventFuzz {

    private static final Duration MAX_TIME = Duration.ofSeconds(60);

    /** The topic does not have it, so that coordinates are unique. */
    private static final int PARTITION = 77;

    private EventFuzz() {}

    /** Checks that each handler returns, and has applied or parked every event of the types it reacts to. */
    public static void assertThatNoEventStops(List<EventHandler<?>> handlers, Sql sql) throws SQLException {
        var records = records(80);
        for (var handler : handlers) {
            var types = handler.reactsTo().stream().map(Class::getSimpleName).collect(toSet());
            var ids = records.stream()
                    .filter(record -> types.contains(header(record, EventHeaders.TYPE)))
                    .map(record -> UUID.fromString(header(record, EventHeaders.ID)))
                    .toArray(UUID[]::new);

            assertTimeoutPreemptively(MAX_TIME, () -> handler.consume(records), handler.consumerGroup());

            var seen = sql.number(
                    "SELECT count(*) FROM inbox WHERE consumer = ? AND event_id = ANY (?)",
                    handler.consumerGroup(),
                    ids);
            var unreadable = sql.number(
                    "SELECT count(*) FROM parked_event WHERE consumer = ? AND partition = ? AND reason = 'UNREADABLE'",
                    handler.consumerGroup(),
                    PARTITION);
            assertThat(seen + unreadable).as(handler.consumerGroup()).isEqualTo(ids.length);
        }
    }

    private static List<ConsumerRecord<String, byte[]>> records(int size) {
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        for (var recipe : new RecordGenerator(1).fields(size)) {
            var order = UUID.randomUUID().toString();
            var sample = OrderTopic.record(
                    "fuzz", 1, EventSamples.ORDER_EVENTS.get(records.size() % EventSamples.ORDER_EVENTS.size()));
            var value = new String(sample.value(), UTF_8).replace(EventSamples.ORDER.toString(), order);
            records.add(RecordGenerator.make(
                    recipe,
                    OrderTopic.with(sample, order, value.getBytes(UTF_8)),
                    new TopicPartition(sample.topic(), PARTITION),
                    records.size()));
        }
        return records;
    }

    private static String header(ConsumerRecord<String, byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), UTF_8);
    }
}
