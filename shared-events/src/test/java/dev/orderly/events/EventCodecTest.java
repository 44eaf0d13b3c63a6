package dev.orderly.events;

import static dev.orderly.testing.EventSamples.ORDER_EVENTS;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Timestamp;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.PaymentDeclined;
import dev.orderly.events.OrderEvent.StockRejected;
import dev.orderly.testing.EventSamples;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.avro.Schema.Parser;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventCodecTest {

    private static final int ID = 0x01020304;
    private static final OrderPlaced PLACED = (OrderPlaced) ORDER_EVENTS.getFirst();
    private static final byte[] HUGE = {-128, -128, -128, -128, 4}; // 2^29, as Avro writes a length

    static Stream<Event> events() {
        return Stream.concat(EventJsonTest.orderEvents(), EventJsonTest.customerEventsWithValue());
    }

    @ParameterizedTest
    @MethodSource("events")
    void an_event_is_read_in_every_format_as_it_was_written(Event event) throws IOException {
        for (var format : EventFormat.values()) {
            assertThat(read(format, event.getClass(), EventCodec.write(format, event, ID)))
                    .as(format.name())
                    .isEqualTo(event);
        }
    }

    private static Event read(EventFormat format, Class<? extends Event> type, byte[] value) throws IOException {
        return EventCodec.read(format, type, EventCodec.schema(format, EventCodec.schema(format, type)), value);
    }

    @Test
    void a_value_begins_as_clients_of_schema_registries_expect_and_json_is_plain() throws IOException {
        var avro = EventCodec.write(EventFormat.AVRO, PLACED, ID);
        var protobuf = EventCodec.write(EventFormat.PROTOBUF, PLACED, ID);

        assertThat(avro)
                .startsWith(0, 1, 2, 3, 4)
                .contains(PLACED.id().toString().getBytes(UTF_8));
        assertThat(protobuf).startsWith(0, 1, 2, 3, 4, 0);
        assertThat(EventCodec.schemaId(avro))
                .isEqualTo(EventCodec.schemaId(protobuf))
                .isEqualTo(ID);
        assertThat(new String(EventCodec.write(EventFormat.JSON, PLACED, ID), UTF_8))
                .isEqualTo(EventJson.write(PLACED));
        for (var tombstone : EventSamples.CUSTOMER_EVENTS) {
            assertThat(EventCodec.write(EventFormat.AVRO, tombstone, ID) == null)
                    .isEqualTo(tombstone.erasesKey());
        }
    }

    @Test
    void a_content_type_names_a_format_and_none_is_json() {
        for (var format : EventFormat.values()) {
            assertThat(EventFormat.ofContentType(format.contentType())).isEqualTo(format);
        }
        assertThat(EventFormat.ofContentType(null)).isEqualTo(EventFormat.JSON);
        assertThat(EventFormat.ofContentType(""))
                .as("a header of null, when it was parked")
                .isEqualTo(EventFormat.JSON);
        assertThatThrownBy(() -> EventFormat.ofContentType("text/xml"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("application/avro");
    }

    @ParameterizedTest
    @EnumSource(names = "JSON", mode = Mode.EXCLUDE)
    void whatever_is_changed_in_a_value_it_is_read_or_refused_without_repeating_it(EventFormat format)
            throws IOException {
        for (var event : events().toList()) {
            var schema = EventCodec.schema(format, EventCodec.schema(format, event.getClass()));
            var value = EventCodec.write(format, event, ID);
            for (var i = 0; i < value.length; i++) {
                assertReadOrRefused(format, event, schema, Arrays.copyOf(value, i));
                for (var other : new int[] {0, 1, 0x7f, 0x80, 0xff, value[i] + 1, value[i] ^ 0x40}) {
                    var changed = value.clone();
                    changed[i] = (byte) other;
                    assertReadOrRefused(format, event, schema, changed);
                }
            }
        }
    }

    private static void assertReadOrRefused(EventFormat format, Event event, EventCodec.Schema schema, byte[] value) {
        try {
            EventCodec.read(format, event.getClass(), schema, value);
        } catch (IOException e) {
            assertThat(e.getMessage()).doesNotContainIgnoringCase("ada", "3012345678", "tok_ok");
        }
    }

    @ParameterizedTest
    @EnumSource(names = "JSON", mode = Mode.EXCLUDE)
    void a_value_that_is_cut_or_goes_on_is_refused(EventFormat format) {
        var value = EventCodec.write(format, PLACED, ID);

        for (var length : new int[] {0, 1, 5, 6, value.length - 1}) {
            assertThatThrownBy(() -> read(format, OrderPlaced.class, Arrays.copyOf(value, length)))
                    .as(length + " bytes")
                    .isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> read(format, OrderPlaced.class, Arrays.copyOf(value, value.length + 1)))
                .isInstanceOf(IOException.class);
    }

    @Test
    void no_more_is_allocated_than_a_value_has_whatever_length_it_announces() throws IOException {
        var text = spliced(EventFormat.AVRO, PLACED, 5, HUGE); // the length of the id

        var rejected = (StockRejected) ORDER_EVENTS.get(2);
        var count = spliced(EventFormat.AVRO, rejected, 5 + 37 + 1, HUGE); // of the SKUs, after id and status

        for (var i = 0; i < 100; i++) { // each of them half of a GB, or more
            assertThatThrownBy(() -> read(EventFormat.AVRO, OrderPlaced.class, text))
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> read(EventFormat.AVRO, StockRejected.class, count))
                    .isInstanceOf(IOException.class);
        }
    }

    /** The value with one byte replaced by others. */
    private static byte[] spliced(EventFormat format, Event event, int at, byte[] bytes) throws IOException {
        var value = EventCodec.write(format, event, ID);
        var out = new ByteArrayOutputStream();
        out.write(value, 0, at);
        out.write(bytes);
        out.write(value, at + 1, value.length - at - 1);
        return out.toByteArray();
    }

    @ParameterizedTest
    @EnumSource(names = "JSON", mode = Mode.EXCLUDE)
    void a_text_that_is_not_utf_8_is_refused_as_in_json(EventFormat format) {
        var event = new PaymentDeclined(UUID.randomUUID(), "no balance", EventSamples.NOW);
        var value = EventCodec.write(format, event, ID);
        value[new String(value, ISO_8859_1).indexOf("no balance")] = (byte) 0xff;

        assertThatThrownBy(() -> read(format, PaymentDeclined.class, value)).isInstanceOf(IOException.class);
    }

    @Test
    void another_message_of_a_file_is_refused_and_the_long_form_of_the_first_is_read() throws IOException {
        var second = EventCodec.write(EventFormat.PROTOBUF, PLACED, ID);
        second[5] = 2; // one step
        var negative = EventCodec.write(EventFormat.PROTOBUF, PLACED, ID);
        negative[5] = 1; // -1 steps
        var first = spliced(EventFormat.PROTOBUF, PLACED, 5, new byte[] {2, 0});

        for (var other : List.of(second, negative)) {
            assertThatThrownBy(() -> read(EventFormat.PROTOBUF, OrderPlaced.class, other))
                    .isInstanceOf(IOException.class);
        }
        assertThat(read(EventFormat.PROTOBUF, OrderPlaced.class, first)).isEqualTo(PLACED);
    }

    @Test
    void a_writer_of_a_newer_avro_schema_is_read_without_what_it_has_added() throws IOException {
        var newer = avroSchema();
        ((ArrayNode) newer.path("fields"))
                .insertObject(2)
                .put("name", "channel")
                .put("type", "string")
                .put("default", "web");
        ((ArrayNode) newer.findValue("symbols")).add("SHIPPED");
        var schema = new Parser().parse(newer.toString());
        var placed = new GenericData.Record(schema);
        var own = new Parser().parse(avroSchema().toString());
        var value = EventCodec.write(EventFormat.AVRO, PLACED, ID);
        var read = new GenericDatumReader<GenericData.Record>(own)
                .read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
        own.getFields().forEach(field -> placed.put(field.name(), read.get(field.pos())));
        placed.put("channel", "shop");
        placed.put(
                "status", new GenericData.EnumSymbol(schema.getField("status").schema(), "SHIPPED"));

        var bytes = new ByteArrayOutputStream();
        bytes.write(value, 0, 5);
        new GenericDatumWriter<>(schema).write(placed, EncoderFactory.get().directBinaryEncoder(bytes, null));

        assertThat(EventCodec.read(
                        EventFormat.AVRO,
                        OrderPlaced.class,
                        EventCodec.schema(EventFormat.AVRO, newer.toString()),
                        bytes.toByteArray()))
                .isEqualTo(PLACED);
    }

    private static ObjectNode avroSchema() throws IOException {
        return (ObjectNode) new ObjectMapper().readTree(EventCodec.schema(EventFormat.AVRO, OrderPlaced.class));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{\"type\":\"record\"}", "\"strong\"", "syntax = \"proto3\";"})
    void a_text_that_is_not_a_schema_is_refused(String text) {
        assertThatThrownBy(() -> EventCodec.schema(EventFormat.AVRO, text)).isInstanceOf(IOException.class);
    }

    @Test
    void the_schema_of_another_type_is_refused() throws IOException {
        var other = EventCodec.schema(EventFormat.AVRO, EventCodec.schema(EventFormat.AVRO, PaymentDeclined.class));
        var value = EventCodec.write(EventFormat.AVRO, PLACED, ID);

        assertThatThrownBy(() -> EventCodec.read(EventFormat.AVRO, OrderPlaced.class, other, value))
                .isInstanceOf(IOException.class);
    }

    @Test
    void a_time_that_no_calendar_has_is_refused() {
        // Seconds from 1970 are the first field of google.protobuf.Timestamp, the last of the event.
        var hostile = List.of(Long.MAX_VALUE, Long.MIN_VALUE);
        for (var seconds : hostile) {
            var event = EventCodec.write(EventFormat.PROTOBUF, PLACED, ID);
            var time = Timestamp.newBuilder().setSeconds(seconds).build().toByteArray();
            var value = new ByteArrayOutputStream();
            value.writeBytes(event); // a field that occurs twice has the last value
            value.write(9 << 3 | 2);
            value.write(time.length);
            value.writeBytes(time);

            assertThatThrownBy(() -> read(EventFormat.PROTOBUF, OrderPlaced.class, value.toByteArray()))
                    .isInstanceOf(IOException.class);
        }
    }
}
