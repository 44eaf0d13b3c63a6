package dev.orderly.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** With the settings of the connector. */
class OutboxRouterTest {

    private static final byte[] AVRO = {0, 0, 0, 0, 7, 1, (byte) 0x80, 0};
    private static final String PREFIX = "transforms.outbox.";

    private final OutboxRouter<SourceRecord> router = new OutboxRouter<>();

    @BeforeEach
    void configure() throws IOException {
        Map<String, String> connector = new JsonMapper()
                .readValue(Path.of("../connect/outbox-connector.json").toFile(), new TypeReference<>() {});
        var settings = new HashMap<String, String>();
        connector.forEach((name, value) -> {
            if (name.startsWith(PREFIX)) {
                settings.put(name.substring(PREFIX.length()), value);
            }
        });
        assertThat(settings.remove("type")).isEqualTo(OutboxRouter.class.getName());
        assertThat(connector.get("value.converter"))
                .isEqualTo("org.apache.kafka.connect.converters.ByteArrayConverter");
        router.configure(settings);
    }

    @Test
    void a_text_is_published_as_it_is_and_without_a_content_type() {
        var record = router.apply(inserted("order-service", "{\"name\":\"Müller\"}", null, null));

        assertThat(value(record)).isEqualTo("{\"name\":\"Müller\"}".getBytes(UTF_8));
        assertThat(record.topic()).isEqualTo("order-service");
        assertThat(record.key()).isEqualTo("key");
        assertThat(record.headers().lastWithName("id").value()).isEqualTo("id");
        assertThat(record.headers().lastWithName("content-type")).isNull();
    }

    @Test
    void bytes_are_published_as_they_are_and_with_their_content_type() {
        var record = router.apply(inserted("order-service", null, AVRO, "application/avro"));

        assertThat(value(record)).isEqualTo(AVRO);
        assertThat(record.headers().lastWithName("content-type").value()).isEqualTo("application/avro");
        assertThat(record.headers().lastWithName("seq").value()).isEqualTo(1L);
    }

    @Test
    void a_row_without_either_is_a_tombstone() {
        var record = router.apply(inserted("customer-service", null, null, null));

        assertThat(value(record)).isNull();
        assertThat(record.key()).isEqualTo("key");
    }

    /** What was in the log when the columns were added. */
    @Test
    void a_row_of_before_the_bytes_is_published() {
        var row = rowSchema().build();

        var record = router.apply(insert(row, filled(row, "order-service", "{}")));

        assertThat(value(record)).isEqualTo("{}".getBytes(UTF_8));
    }

    /** As that converter takes it. */
    private static byte[] value(SourceRecord record) {
        if (record.value() == null) {
            return null;
        }
        assertThat(record.valueSchema().type()).isEqualTo(Schema.Type.BYTES);
        return record.value() instanceof ByteBuffer buffer ? buffer.array() : (byte[]) record.value();
    }

    private static SourceRecord inserted(String topic, String text, byte[] bytes, String contentType) {
        var row = rowSchema()
                .field(OutboxRouter.PAYLOAD_BYTES, Schema.OPTIONAL_BYTES_SCHEMA)
                .field(OutboxRouter.CONTENT_TYPE, Schema.OPTIONAL_STRING_SCHEMA)
                .build();
        return insert(
                row,
                filled(row, topic, text)
                        .put(OutboxRouter.PAYLOAD_BYTES, bytes == null ? null : ByteBuffer.wrap(bytes))
                        .put(OutboxRouter.CONTENT_TYPE, contentType));
    }

    private static SchemaBuilder rowSchema() {
        var row = SchemaBuilder.struct().optional().field("seq", Schema.INT64_SCHEMA);
        for (String column : new String[] {"id", "topic", "key", "type", "source"}) {
            row.field(column, Schema.STRING_SCHEMA);
        }
        for (String column : new String[] {"version", "schema"}) {
            row.field(column, Schema.INT32_SCHEMA);
        }
        for (String column : new String[] {OutboxRouter.PAYLOAD, "traceparent", "consumer", "reason", "origin"}) {
            row.field(column, Schema.OPTIONAL_STRING_SCHEMA);
        }
        return row;
    }

    private static Struct filled(Schema row, String topic, String text) {
        return new Struct(row)
                .put("seq", 1L)
                .put("id", "id")
                .put("topic", topic)
                .put("key", "key")
                .put("type", "OrderPlaced")
                .put("source", "order-service")
                .put("version", 1)
                .put("schema", 1)
                .put(OutboxRouter.PAYLOAD, text);
    }

    /** As Debezium's task gives it. */
    private static SourceRecord insert(Schema row, Struct after) {
        var envelope = SchemaBuilder.struct()
                .name("orders.public.outbox.Envelope")
                .field("before", row)
                .field("after", row)
                .field("op", Schema.STRING_SCHEMA)
                .field("ts_ms", Schema.OPTIONAL_INT64_SCHEMA)
                .build();
        var change = new Struct(envelope).put("after", after).put("op", "c").put("ts_ms", 0L);
        return new SourceRecord(Map.of(), Map.of(), "orders.public.outbox", null, null, envelope, change);
    }
}
