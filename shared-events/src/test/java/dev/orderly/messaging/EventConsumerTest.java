package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.header;
import static dev.orderly.testing.OrderTopic.record;
import static dev.orderly.testing.OrderTopic.with;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.EventHeaders;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class EventConsumerTest extends IntegrationTest {

    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void every_event_of_a_batch_takes_effect_once_and_in_order() throws SQLException {
        var records = new ArrayList<ProducerRecord<String, byte[]>>();
        var orders = IntStream.range(0, 50).mapToObj(_ -> UUID.randomUUID()).toList();
        orders.forEach(order -> records.add(placed(order)));
        orders.forEach(order -> records.add(cancelled(order)));

        publish(records);
        publish(records); // As by a relay that lost its position: all again, under the same event ids.

        for (var order : orders) {
            assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
            assertThat(published(order)).containsExactly("PaymentRefunded");
        }
    }

    @Test
    void what_is_published_joins_the_trace_of_its_cause() throws SQLException {
        var order = UUID.randomUUID();

        publish(List.of(placed(order), header(cancelled(order), EventHeaders.TRACEPARENT, TRACE)));

        assertThat(sql().strings("SELECT traceparent FROM outbox WHERE key = ?", order.toString()))
                .singleElement()
                .asString()
                .startsWith(TRACE.substring(0, 36))
                .isNotEqualTo(TRACE);
    }

    @Test
    void an_event_of_an_unknown_type_is_skipped() throws SQLException {
        var order = UUID.randomUUID();

        publish(List.of(
                placed(order),
                header(rejected(order), EventHeaders.TYPE, "OrderGiftWrapped"),
                header(rejected(order), EventHeaders.TYPE, null),
                header(header(rejected(order), EventHeaders.TYPE, null), EventHeaders.SOURCE, null),
                cancelled(3, order)));

        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(parked(order)).isEmpty();
    }

    enum Damage {
        NULL_VALUE,
        EMPTY_VALUE,
        NO_JSON,
        ARRAY,
        SCALAR,
        HUGE,
        INVALID_UTF_8,
        MISSING_FIELD,
        OTHER_ORDER,
        NO_EVENT_ID,
        BAD_EVENT_ID,
        NO_SOURCE,
        LONG_SOURCE,
        UNSTORABLE_SOURCE,
        NO_VERSION,
        BAD_VERSION,
        NEGATIVE_VERSION,
        HUGE_VERSION,
        OLDER_SCHEMA,
        BAD_SCHEMA;

        ProducerRecord<String, byte[]> applyTo(ProducerRecord<String, byte[]> record) {
            return switch (this) {
                case NULL_VALUE -> with(record, record.key(), null);
                case EMPTY_VALUE -> with(record, record.key(), new byte[0]);
                case NO_JSON -> with(record, record.key(), "\0{oops".getBytes(UTF_8));
                case ARRAY -> with(record, record.key(), "[]".getBytes(UTF_8));
                case SCALAR -> with(record, record.key(), "17".getBytes(UTF_8));
                case HUGE -> with(record, record.key(), ("[" + "0,".repeat(450_000) + "0]").getBytes(UTF_8));
                case INVALID_UTF_8 -> with(record, record.key(), new byte[] {'{', '"', (byte) 0xC3, (byte) 0x28});
                case MISSING_FIELD -> with(record, record.key(), ("{\"id\":\"" + record.key() + "\"}").getBytes(UTF_8));
                case OTHER_ORDER ->
                    with(
                            record,
                            record.key(),
                            new String(record.value(), UTF_8)
                                    .replace(record.key(), UUID.randomUUID().toString())
                                    .getBytes(UTF_8));
                case NO_EVENT_ID -> header(record, EventHeaders.ID, null);
                case BAD_EVENT_ID -> header(record, EventHeaders.ID, "17");
                case NO_SOURCE -> header(record, EventHeaders.SOURCE, null);
                case LONG_SOURCE -> header(record, EventHeaders.SOURCE, noise(4000));
                case UNSTORABLE_SOURCE -> header(record, EventHeaders.SOURCE, "order\0service");
                case NO_VERSION -> header(record, EventHeaders.VERSION, null);
                case BAD_VERSION -> header(record, EventHeaders.VERSION, "0");
                case NEGATIVE_VERSION -> header(record, EventHeaders.VERSION, "-1");
                case OLDER_SCHEMA -> header(record, EventHeaders.SCHEMA, "0");
                case HUGE_VERSION -> header(record, EventHeaders.VERSION, "2147483648");
                case BAD_SCHEMA -> header(record, EventHeaders.SCHEMA, "2".repeat(11));
            };
        }
    }

    /** A text that no index can compress. */
    private static String noise(int characters) {
        return new Random(1)
                .ints(characters, '\u4e00', '\u9fa5')
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    @ParameterizedTest
    @EnumSource
    void a_record_that_cannot_be_read_is_parked_with_its_order_and_others_flow_on(Damage damage) throws SQLException {
        var damaged = UUID.randomUUID();
        var neighbour = UUID.randomUUID();

        publish(List.of(
                placed(neighbour),
                placed(damaged),
                damage.applyTo(rejected(damaged)),
                cancelled(damaged),
                cancelled(neighbour)));

        assertThat(effects(neighbour)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(effects(damaged)).containsExactly("OrderPlaced");
        assertThat(parked(damaged)).containsExactly("OrderRejected UNREADABLE", "OrderCancelled BEHIND");
        assertThat(sql().strings(
                                "SELECT detail FROM parked_event WHERE key = ? AND reason = 'UNREADABLE'",
                                damaged.toString()))
                .singleElement()
                .asString()
                .isNotBlank();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"quantity\":1 | \"quantity\":\"1\"",
                "\"quantity\":1 | \"quantity\":1.5",
                "\"quantity\":1 | \"quantity\":0",
                "\"quantity\":1 | \"quantity\":99999999999",
                "\"amount\":1 | \"amount\":99999999999999999999",
                "\"amount\":1 | \"amount\":1e400",
                "BALANCE | BARTER",
                "EUR | XYZ",
                "\"paymentMethod\" | \"sku\":\"twice\",\"paymentMethod\":\"BALANCE\",\"paymentMethod\"",
            })
    void a_value_that_would_be_misread_is_parked(String right, String wrong) throws SQLException {
        var order = UUID.randomUUID();
        var record = placed(order);
        var value = new String(record.value(), UTF_8);
        assertThat(value).contains(right);

        publish(List.of(
                with(record, order.toString(), value.replace(right, wrong).getBytes(UTF_8))));

        assertThat(effects(order)).isEmpty();
        assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE");
    }

    @Test
    void what_a_newer_writer_adds_to_a_value_is_ignored() throws SQLException {
        var order = UUID.randomUUID();
        var record = placed(order);
        var value = new String(record.value(), UTF_8).replaceFirst("\\{", "{\"giftWrap\":{\"colour\":\"red\"},");

        publish(List.of(with(record, order.toString(), value.getBytes(UTF_8))));

        assertThat(effects(order)).containsExactly("OrderPlaced");
    }

    @Test
    void unknown_headers_of_any_number_and_length_do_no_harm() throws SQLException {
        var order = UUID.randomUUID();
        var record = placed(order);
        for (var i = 0; i < 1000; i++) {
            header(record, "x-" + i, "y");
        }
        header(record, "x-long", "y".repeat(32_768));
        header(record, "ce_type", "order");

        publish(List.of(record));

        assertThat(effects(order)).containsExactly("OrderPlaced");
    }

    @Test
    void a_key_that_cannot_be_stored_as_it_is_is_parked_and_holds_up_nothing() throws SQLException {
        var order = UUID.randomUUID();
        var record = placed(order);

        publish(List.of(
                with(record, order + "\0" + "k".repeat(2000), record.value()),
                with(record, order + noise(3000), record.value()),
                placed(order)));

        assertThat(effects(order)).containsExactly("OrderPlaced");
        assertThat(sql().strings("SELECT reason FROM parked_event WHERE key LIKE ?", order + "_%"))
                .containsExactly("UNREADABLE", "UNREADABLE");
    }

    @Test
    void the_first_of_two_events_under_one_id_counts() throws SQLException {
        var order = UUID.randomUUID();
        var placed = placed(order);
        var impostor = header(cancelled(order), EventHeaders.ID, id(placed));

        publish(List.of(placed, impostor));

        assertThat(effects(order)).containsExactly("OrderPlaced");
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void an_event_that_comes_a_hundred_times_and_by_other_partitions_takes_effect_once() throws SQLException {
        var order = UUID.randomUUID();
        var placed = placed(order);
        var records = new ArrayList<>(Collections.nCopies(100, placed));
        for (var partition = 0; partition < 3; partition++) {
            records.add(
                    new ProducerRecord<>(placed.topic(), partition, placed.key(), placed.value(), placed.headers()));
        }

        publish(records);

        assertThat(effects(order)).containsExactly("OrderPlaced");
        assertThat(parked(order)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void the_time_of_a_record_does_not_matter(long timestamp) throws SQLException {
        var order = UUID.randomUUID();
        var placed = placed(order);

        publish(List.of(
                new ProducerRecord<>(placed.topic(), null, timestamp, placed.key(), placed.value(), placed.headers())));

        assertThat(effects(order)).containsExactly("OrderPlaced");
    }

    @Test
    void of_five_hundred_orders_in_a_batch_only_the_poisoned_ones_wait() throws SQLException {
        var orders = IntStream.range(0, 500).mapToObj(_ -> UUID.randomUUID()).toList();
        var poisoned = List.of(orders.getFirst(), orders.get(250), orders.getLast());
        handler.rejected.addAll(poisoned);

        publish(orders.stream().map(IntegrationTest::placed).toList());

        for (var order : orders) {
            assertThat(effects(order)).hasSize(poisoned.contains(order) ? 0 : 1);
        }
        for (var order : poisoned) {
            assertThat(parked(order)).containsExactly("OrderPlaced FAILED");
        }
    }

    @Test
    void a_batch_of_nothing_but_poison_is_parked_whole() throws SQLException {
        var orders = IntStream.range(0, 20).mapToObj(_ -> UUID.randomUUID()).toList();

        publish(orders.stream()
                .map(order -> with(placed(order), order.toString(), "{oops".getBytes(UTF_8)))
                .toList());

        for (var order : orders) {
            assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE");
        }
    }

    @Test
    void what_is_in_an_aborted_transaction_of_a_producer_is_not_read() throws SQLException {
        var order = UUID.randomUUID();
        var aborted = placed(order);
        var published = placed(order);
        try (var topic = new OrderTopic("recording-test")) {
            topic.publishAndAbort(List.of(aborted));
        }

        publish(List.of(published));

        assertThat(sql().strings(
                                "SELECT event_id FROM inbox WHERE event_id IN (?::uuid, ?::uuid)",
                                id(aborted),
                                id(published)))
                .containsExactly(id(published));
    }

    @Test
    void a_record_without_a_key_is_parked_and_holds_up_nothing() throws SQLException {
        var order = UUID.randomUUID();
        var keyless = with(placed(order), null, placed(order).value());
        var eventId = id(keyless);

        publish(List.of(keyless, placed(order)));

        assertThat(effects(order)).containsExactly("OrderPlaced");
        assertThat(sql().strings("SELECT reason FROM parked_event WHERE ? = ANY (headers)", "id=" + eventId))
                .containsExactly("UNREADABLE");
    }

    @Test
    void an_event_that_the_handler_rejects_is_parked_with_its_order_and_the_rest_of_the_batch_takes_effect()
            throws SQLException {
        var poison = UUID.randomUUID();
        var before = UUID.randomUUID();
        var after = UUID.randomUUID();
        handler.rejected.add(poison);
        var records = List.of(
                placed(before), placed(poison), cancelled(before), cancelled(poison), placed(after), cancelled(after));

        publish(records);
        publish(records);

        assertThat(effects(before)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(effects(after)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(published(before)).containsExactly("PaymentRefunded");
        assertThat(effects(poison)).isEmpty();
        assertThat(published(poison)).isEmpty();
        assertThat(parked(poison)).containsExactly("OrderPlaced FAILED", "OrderCancelled BEHIND");
    }

    @Test
    void an_outage_repeats_the_batch_until_it_is_over_and_parks_nothing() throws SQLException {
        var order = UUID.randomUUID();
        handler.outages.set(4);

        publish(List.of(placed(order), cancelled(order)));

        assertThat(handler.outages).hasValue(0);
        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(published(order)).containsExactly("PaymentRefunded");
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void a_batch_that_cannot_be_done_in_time_is_done_in_parts_and_parks_nothing() throws SQLException {
        var orders = IntStream.range(0, 20).mapToObj(_ -> UUID.randomUUID()).toList();
        handler.maxEvents = 1;

        publish(orders.stream().map(IntegrationTest::placed).toList());

        handler.maxEvents = Integer.MAX_VALUE;
        for (var order : orders) {
            assertThat(effects(order)).containsExactly("OrderPlaced");
            assertThat(parked(order)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"54000", "XX000", "42601"})
    void a_failure_that_is_no_outage_and_does_not_end_is_isolated_and_parked(String state) throws SQLException {
        var poison = UUID.randomUUID();
        var neighbour = UUID.randomUUID();
        handler.failing.put(poison, state);

        publish(List.of(placed(neighbour), placed(poison), cancelled(neighbour)));

        assertThat(effects(neighbour)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(parked(poison)).containsExactly("OrderPlaced FAILED");
        handler.failing.clear();
    }

    private static String id(ProducerRecord<String, byte[]> record) {
        return new String(record.headers().lastHeader(EventHeaders.ID).value(), UTF_8);
    }
}
