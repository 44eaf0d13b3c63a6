package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.header;
import static dev.orderly.testing.OrderTopic.record;
import static dev.orderly.testing.OrderTopic.with;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.events.EventHeaders;
import dev.orderly.testing.RealPlatform;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@QuarkusTest
@TestProfile(OnRealPlatform.Service.class)
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
class EventConsumerTest extends OnRealPlatform {

    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void every_event_of_a_batch_takes_effect_once_and_in_order() throws SQLException {
        var records = new ArrayList<ProducerRecord<String, byte[]>>();
        var orders = IntStream.range(0, 50).mapToObj(_ -> UUID.randomUUID()).toList();
        orders.forEach(order -> records.add(placed(order)));
        orders.forEach(order -> records.add(cancelled(order)));

        publish(records);
        publish(records); // What a relay does that lost its place: all of it again, under the same event ids.

        for (var order : orders) {
            assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
            assertThat(published(order)).containsExactly("PaymentRefunded");
        }
    }

    @Test
    void what_is_published_joins_the_trace_of_its_cause() throws SQLException {
        var order = UUID.randomUUID();

        publish(List.of(placed(order), header(cancelled(order), EventHeaders.TRACEPARENT, TRACE)));

        assertThat(strings("SELECT traceparent FROM outbox WHERE key = ?", order.toString()))
                .singleElement()
                .asString()
                .startsWith(TRACE.substring(0, 36))
                .isNotEqualTo(TRACE);
    }

    @Test
    void an_event_of_a_type_that_nobody_knows_yet_is_skipped() throws SQLException {
        var order = UUID.randomUUID();

        publish(List.of(
                placed(order),
                header(rejected(order), EventHeaders.TYPE, "OrderGiftWrapped"),
                header(rejected(order), EventHeaders.TYPE, null),
                cancelled(3, order)));

        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(parked(order)).isEmpty();
    }

    enum Damage {
        NULL_VALUE,
        EMPTY_VALUE,
        NO_JSON,
        ARRAY,
        INVALID_UTF_8,
        MISSING_FIELD,
        OTHER_ORDER,
        NO_EVENT_ID,
        BAD_EVENT_ID,
        NO_SOURCE,
        BAD_VERSION,
        NEWER_SCHEMA;

        ProducerRecord<String, byte[]> done(ProducerRecord<String, byte[]> record) {
            return switch (this) {
                case NULL_VALUE -> with(record, record.key(), null);
                case EMPTY_VALUE -> with(record, record.key(), new byte[0]);
                case NO_JSON -> with(record, record.key(), "\0{oops".getBytes(UTF_8));
                case ARRAY -> with(record, record.key(), "[]".getBytes(UTF_8));
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
                case BAD_VERSION -> header(record, EventHeaders.VERSION, "0");
                case NEWER_SCHEMA -> header(record, EventHeaders.SCHEMA, "2");
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_record_that_cannot_be_read_is_parked_with_its_order_and_others_flow_on(Damage damage) throws SQLException {
        var damaged = UUID.randomUUID();
        var neighbour = UUID.randomUUID();

        publish(List.of(
                placed(neighbour),
                placed(damaged),
                damage.done(rejected(damaged)),
                cancelled(damaged),
                cancelled(neighbour)));

        assertThat(effects(neighbour)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(effects(damaged)).containsExactly("OrderPlaced");
        assertThat(parked(damaged)).containsExactly("OrderRejected UNREADABLE", "OrderCancelled BEHIND");
        assertThat(strings(
                        "SELECT detail FROM parked_event WHERE key = ? AND reason = 'UNREADABLE'", damaged.toString()))
                .singleElement()
                .asString()
                .isNotBlank();
    }

    @Test
    void a_record_without_a_key_is_parked_and_holds_up_nothing() throws SQLException {
        var order = UUID.randomUUID();
        var keyless = with(placed(order), null, placed(order).value());
        var eventId = new String(keyless.headers().lastHeader(EventHeaders.ID).value(), UTF_8);

        publish(List.of(keyless, placed(order)));

        assertThat(effects(order)).containsExactly("OrderPlaced");
        assertThat(strings("SELECT reason FROM parked_event WHERE ? = ANY (headers)", "id=" + eventId))
                .containsExactly("UNREADABLE");
    }

    @Test
    void an_event_that_the_handler_refuses_is_parked_with_its_order_and_the_rest_of_the_batch_takes_effect()
            throws SQLException {
        var refused = UUID.randomUUID();
        var before = UUID.randomUUID();
        var after = UUID.randomUUID();
        handler.refused.add(refused);
        var records = List.of(
                placed(before),
                placed(refused),
                cancelled(before),
                cancelled(refused),
                placed(after),
                cancelled(after));

        publish(records);
        publish(records);

        assertThat(effects(before)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(effects(after)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(published(before)).containsExactly("PaymentRefunded");
        assertThat(effects(refused)).isEmpty();
        assertThat(published(refused)).isEmpty();
        assertThat(parked(refused)).containsExactly("OrderPlaced FAILED", "OrderCancelled BEHIND");
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
    void the_application_may_neither_change_nor_delete_what_it_has_published_or_seen() {
        for (var table : List.of("outbox", "inbox")) {
            assertThat(failureOf("DELETE FROM " + table)).contains("permission denied");
            assertThat(failureOf("TRUNCATE " + table)).contains("permission denied");
        }
        assertThat(failureOf("UPDATE outbox SET payload = '{}'")).contains("permission denied");
        assertThat(failureOf("CREATE TABLE mine ()")).contains("permission denied");
    }

    @Test
    void partitions_are_ready_for_the_coming_days() throws SQLException {
        for (var table : List.of("outbox", "inbox")) {
            assertThat(strings("SELECT count(*) FROM pg_inherits WHERE inhparent = ?::regclass", table))
                    .containsExactly("10");
        }
        assertThat(strings("SELECT keep_message_partitions()::text WHERE ? <> ''", "x"))
                .containsExactly("");
    }

    @Test
    void the_slot_and_its_publication_exist_before_the_first_write() throws SQLException {
        assertThat(strings("SELECT plugin FROM pg_replication_slots WHERE slot_name = ?", "outbox_orders"))
                .containsExactly("pgoutput");
        assertThat(strings("SELECT tablename FROM pg_publication_tables WHERE pubname = ?", "outbox"))
                .containsExactly("outbox");
    }
}
