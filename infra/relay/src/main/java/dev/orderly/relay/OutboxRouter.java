package dev.orderly.relay;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.debezium.data.Envelope;
import io.debezium.transforms.outbox.EventRouter;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;

/**
 * Debezium's router, for an outbox whose payload is a text or bytes. The value is the bytes of either, so
 * that one converter serves both. Bytes come with their content type, which becomes a header; a text is JSON,
 * and its record is what it was before there were bytes.
 *
 * <p>Debezium's router knows one column of payloads, and fails on a column that a row does not have: rows
 * from before the column was added are in the log of an installation that is being upgraded.
 */
public final class OutboxRouter<R extends ConnectRecord<R>> extends EventRouter<R> {
    static final String PAYLOAD = "payload";
    static final String PAYLOAD_BYTES = "payload_bytes";
    static final String CONTENT_TYPE = "content_type";
    static final String CONTENT_TYPE_HEADER = "content-type";

    @Override
    public R apply(R change) {
        var routed = super.apply(change);
        if (routed == null || !(change.value() instanceof Struct envelope)) {
            return routed;
        }
        if (envelope.schema().field(Envelope.FieldName.AFTER) == null) {
            return routed; // not of a table
        }
        var row = envelope.getStruct(Envelope.FieldName.AFTER);
        var bytes = optional(row, PAYLOAD_BYTES);
        if (bytes != null) {
            routed.headers().add(CONTENT_TYPE_HEADER, optional(row, CONTENT_TYPE), Schema.OPTIONAL_STRING_SCHEMA);
            return withValue(routed, bytes);
        }
        var text = row.getString(PAYLOAD);
        return withValue(routed, text == null ? null : text.getBytes(UTF_8));
    }

    private static Object optional(Struct row, String column) {
        return row.schema().field(column) == null ? null : row.get(column);
    }

    private static <R extends ConnectRecord<R>> R withValue(R routed, Object bytes) {
        return routed.newRecord(
                routed.topic(),
                routed.kafkaPartition(),
                routed.keySchema(),
                routed.key(),
                bytes == null ? null : Schema.OPTIONAL_BYTES_SCHEMA,
                bytes,
                routed.timestamp(),
                routed.headers());
    }
}
