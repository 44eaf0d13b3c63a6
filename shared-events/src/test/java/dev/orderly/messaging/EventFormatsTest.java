package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.header;
import static dev.orderly.testing.OrderTopic.with;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.OutageException;
import dev.orderly.events.Event;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.testing.EventSamples;
import dev.orderly.testing.FakeSchemaRegistry;
import dev.orderly.testing.OrderTopic;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.eclipse.microprofile.health.HealthCheckResponse.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What reads all formats, and what writes those that have schemas. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class EventFormatsTest extends IntegrationTest {

    private static final String SOURCE = "order-service";

    @Inject
    MessageSpans spans;

    @Inject
    DeferredWrites writes;

    @Inject
    SchemaRegistry registry;

    @ConfigProperty(name = "orderly.registry.url")
    URI url;

    @AfterEach
    void the_registry_is_there_for_the_next_test() throws IOException, InterruptedException {
        FakeSchemaRegistry.setAway(url, false);
    }

    @Test
    void events_of_all_formats_in_one_batch_take_effect_in_order() throws Exception {
        var orders = List.of(UUID.randomUUID(), UUID.randomUUID(), UUID.randomUUID());
        var records = new ArrayList<ProducerRecord<String, byte[]>>();
        for (var format : EventFormat.values()) {
            for (var order : orders) {
                var version = String.valueOf(format.ordinal() + 1);
                records.add(header(in(format, placed(order)), EventHeaders.VERSION, version));
            }
        }
        for (var order : orders) {
            records.add(in(EventFormat.PROTOBUF, cancelled(4, order)));
        }

        publish(records);

        for (var order : orders) {
            assertThat(parked(order)).isEmpty();
            assertThat(effects(order)).containsExactly("OrderPlaced", "OrderPlaced", "OrderPlaced", "OrderCancelled");
        }
    }

    @Test
    void an_unknown_content_type_and_an_unknown_schema_are_parked_and_dead_letters_as_they_were() throws Exception {
        var unknownSchema = UUID.randomUUID();
        var unknownType = UUID.randomUUID();
        var avro = in(EventFormat.AVRO, placed(unknownSchema));
        avro.value()[1] = 0x7f; // of the id
        var xml = header(placed(unknownType), EventHeaders.CONTENT_TYPE, "text/xml");

        publish(List.of(avro, xml));

        assertThat(parked(unknownSchema)).containsExactly("OrderPlaced UNREADABLE");
        assertThat(parked(unknownType)).containsExactly("OrderPlaced UNREADABLE");
        assertThat(sql().strings("SELECT detail FROM parked_event WHERE key = ?", unknownSchema.toString()))
                .singleElement()
                .asString()
                .endsWith("is not in the schema registry");
        assertThat(deadLetter(unknownSchema)).containsExactly("application/avro " + hex(avro.value()));
        assertThat(deadLetter(unknownType)).containsExactly("text/xml " + hex(xml.value()));
    }

    /** An incomplete one, which SmallRye's own support for them would fail on. */
    @Test
    void a_CloudEvent_is_parked() throws SQLException {
        var order = UUID.randomUUID();
        var record = placed(order);
        header(record, "ce_type", "order");
        header(record, "content-type", "application/cloudevents+json");

        publish(List.of(record));

        assertThat(effects(order)).isEmpty();
        assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE");
    }

    @Test
    void while_the_registry_is_away_a_new_schema_waits_and_known_ones_do_not() throws Exception {
        var order = UUID.randomUUID();
        var known = UUID.randomUUID();
        publish(List.of(in(EventFormat.AVRO, placed(order))));
        var another = in(EventFormat.AVRO, placed(known));
        var other = in(EventFormat.AVRO, cancelled(2, order), "\n");
        FakeSchemaRegistry.setAway(url, true);

        publish(List.of(another));
        assertThat(effects(known)).containsExactly("OrderPlaced");
        try (var topic = new OrderTopic()) {
            topic.publish(List.of(other));
            await().during(Duration.ofSeconds(1))
                    .until(() -> effects(order).size() == 1 && parked(order).isEmpty());
            FakeSchemaRegistry.setAway(url, false);
            await().until(() -> topic.isConsumedBy(RecordingHandler.GROUP));
        }

        assertThat(parked(order)).isEmpty();
        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
    }

    @Test
    void a_parked_event_of_another_format_takes_effect_when_it_is_retried() throws Exception {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        publish(List.of(in(EventFormat.AVRO, placed(order)), in(EventFormat.PROTOBUF, cancelled(2, order))));
        assertThat(parked(order)).containsExactly("OrderPlaced FAILED", "OrderCancelled BEHIND");

        handler.rejected.remove(order);

        await().untilAsserted(() -> assertThat(parked(order)).isEmpty());
        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
    }

    /** As after a restart: the schema of what is parked is not known any more. */
    @Test
    void parked_events_whose_schema_is_not_to_be_had_hold_up_no_other() throws Exception {
        var waiting = List.of(UUID.randomUUID(), UUID.randomUUID(), UUID.randomUUID());
        var other = UUID.randomUUID();
        var orders = new ArrayList<>(waiting);
        orders.add(other);
        handler.rejected.addAll(orders);
        publish(orders.stream().map(IntegrationTest::placed).toList());
        for (var order : orders) {
            await().until(() -> attempts(order) == 4); // all that there are
        }
        for (var order : waiting) {
            sql().execute("""
                    UPDATE parked_event
                    SET payload = decode(?, 'hex'), headers = array_append(headers, 'content-type=application/avro')
                    WHERE key = ?
                    """, hex(in(EventFormat.AVRO, placed(order), "\n\n").value()), order.toString());
        }
        FakeSchemaRegistry.setAway(url, true);
        handler.rejected.removeAll(orders);

        // Those that have to wait are the first to be tried.
        for (var order : waiting) {
            retry(order, "1 hour");
        }
        retry(other, "1 second");

        await().untilAsserted(() -> assertThat(effects(other)).containsExactly("OrderPlaced"));
        for (var order : waiting) {
            assertThat(parked(order)).containsExactly("OrderPlaced FAILED");
            assertThat(attempts(order)).isZero();
        }

        FakeSchemaRegistry.setAway(url, false);

        for (var order : waiting) {
            await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderPlaced"));
            assertThat(parked(order)).isEmpty();
        }
    }

    private void retry(UUID order, String dueSince) throws SQLException {
        sql().execute(
                        "UPDATE parked_event SET attempts = 0, next_attempt_at = now() - ?::interval WHERE key = ?",
                        dueSince,
                        order.toString());
    }

    private long attempts(UUID order) throws SQLException {
        return sql().number("SELECT coalesce(max(attempts), -1) FROM parked_event WHERE key = ?", order.toString());
    }

    @ParameterizedTest
    @EnumSource(names = "JSON", mode = Mode.EXCLUDE)
    void the_outbox_has_the_bytes_of_an_event_until_its_erasure(EventFormat format) throws Exception {
        var schemas = new PublishedSchemas(registry, format, SOURCE);
        schemas.start(null);
        assertThat(schemas.call().getStatus()).isEqualTo(Status.UP);
        var outbox = new Outbox(database, writes, schemas, spans, SOURCE);
        // The samples are of one customer, and so this is of another.
        var events = EventSamples.CUSTOMER_EVENTS;
        var key = EventSamples.CUSTOMER.toString();

        for (var event : events) {
            add(outbox, event);
        }

        var payloads = sql().strings("""
                        SELECT encode(payload_bytes, 'hex')
                        FROM outbox WHERE key = ? AND content_type = ? ORDER BY seq
                        """, key, format.contentType());
        assertThat(payloads).hasSize(events.size() - 1); // but for the tombstone
        for (var i = 0; i < payloads.size(); i++) {
            assertThat(payloads.get(i)).isEqualTo(hex(schemas.write(events.get(i))));
        }
        QuarkusTransaction.requiringNew().call(() -> {
            outbox.erase(EventSamples.CUSTOMER);
            return null;
        });
        assertThat(sql().number("""
                        SELECT count(*)
                        FROM outbox WHERE key = ? AND num_nonnulls(payload, payload_bytes) > 0
                        """, key)).isZero();
    }

    @Test
    void a_start_without_the_registry_says_what_it_waits_for() throws Exception {
        FakeSchemaRegistry.setAway(url, true);
        var schemas = new PublishedSchemas(registry, EventFormat.AVRO, SOURCE);
        schemas.start(null);
        try {
            assertThat(schemas.call().getStatus()).isEqualTo(Status.DOWN);
            assertThat(schemas.call().getData().orElseThrow().get("waiting"))
                    .asString()
                    .startsWith("the schema registry at " + url);
            assertThatThrownBy(() -> schemas.write(EventSamples.ORDER_EVENTS.getFirst()))
                    .isInstanceOf(OutageException.class);

            FakeSchemaRegistry.setAway(url, false);

            await().until(() -> schemas.call().getStatus() == Status.UP);
        } finally {
            schemas.stop(null);
        }
    }

    private void add(Outbox outbox, Event event) {
        QuarkusTransaction.requiringNew().call(() -> {
            outbox.add(List.of(new OutgoingEvent(event, 1)), _ -> null);
            writes.flush();
            return null;
        });
    }

    private List<String> deadLetter(UUID order) throws SQLException {
        return sql().strings("""
                        SELECT content_type || ' ' || encode(payload_bytes, 'hex')
                        FROM outbox WHERE topic = 'order-service.dlq' AND key = ?
                        """, order.toString());
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** The same event in another format. */
    private ProducerRecord<String, byte[]> in(EventFormat format, ProducerRecord<String, byte[]> json)
            throws IOException {
        return in(format, json, "");
    }

    /** @param end of the text of its schema, by which that is another one to the registry */
    private ProducerRecord<String, byte[]> in(EventFormat format, ProducerRecord<String, byte[]> json, String end)
            throws IOException {
        if (format == EventFormat.JSON) {
            return json;
        }
        var type = EventJson.typeNamed(
                new String(json.headers().lastHeader(EventHeaders.TYPE).value(), UTF_8));
        var schema = new SchemaRegistry.Schema(format.name(), EventCodec.schema(format, type) + end);
        var id = registry.register(EventCodec.subject(format, type), schema);
        var value = EventCodec.write(format, EventJson.read(type, json.value()), id);
        return header(with(json, json.key(), value), EventHeaders.CONTENT_TYPE, format.contentType());
    }
}
