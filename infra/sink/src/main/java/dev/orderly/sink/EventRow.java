package dev.orderly.sink;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;

/**
 * An event as a row of the table {@code event} (infra/postgres/sink.sql): what its headers say of it, and its
 * JSON as it is. No column for a field of an event: a new field needs no change here, and what the fields
 * mean to an ERP or a CRM is in that system's own database.
 */
final class EventRow {
    static final String JSON = "application/json";

    private static final Schema SCHEMA = SchemaBuilder.struct()
            .field("id", Schema.STRING_SCHEMA)
            .field("key", Schema.STRING_SCHEMA)
            .field("type", Schema.STRING_SCHEMA)
            .field("source", Schema.STRING_SCHEMA)
            .field("version", Schema.INT32_SCHEMA)
            .field("payload", Schema.OPTIONAL_STRING_SCHEMA)
            .build();

    private EventRow() {}

    /**
     * The record with a row for a value; that of a tombstone has no payload.
     *
     * @throws DataException when it is not an event in JSON; the message has nothing of its content
     */
    static SinkRecord of(SinkRecord event) {
        var format = event.headers().lastWithName("content-type");
        if (format != null && !text("content-type", format.value()).startsWith(JSON)) {
            throw new DataException("only events in JSON can be read here");
        }
        var row = new Struct(SCHEMA)
                .put("id", header(event, "id"))
                .put("key", text("key", event.key()))
                .put("type", header(event, "type"))
                .put("source", header(event, "source"))
                .put("version", version(event))
                .put("payload", event.value() == null ? null : text("value", event.value()));
        return event.newRecord(
                event.topic(), event.kafkaPartition(), null, null, SCHEMA, row, event.timestamp(), event.headers());
    }

    private static String header(SinkRecord event, String name) {
        var header = event.headers().lastWithName(name);
        return text("header " + name, header == null ? null : header.value());
    }

    private static int version(SinkRecord event) {
        try {
            return Integer.parseInt(header(event, "version"));
        } catch (NumberFormatException e) {
            throw new DataException("the header version is not a number");
        }
    }

    private static String text(String what, Object bytes) {
        if (!(bytes instanceof byte[] encoded)) {
            throw new DataException("the " + what + " is missing");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(encoded))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new DataException("the " + what + " is not UTF-8");
        }
    }
}
