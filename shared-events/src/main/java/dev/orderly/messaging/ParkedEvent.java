package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.orderly.events.EventHeaders;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * An event that could not take effect: the record as it was read, and the state of its retries.
 *
 * @param seq the order in which the events of a key are to take effect
 * @param reason a {@link ParkedEvents.Reason}
 * @param attempts the number of retries so far
 * @param nextAttemptAt null after the last retry: then only an operator can make it due
 * @param gapAccepted whether it may take effect without the missing version before it
 * @param headers as {@code name=value}; no name contains an equals sign
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record ParkedEvent(
        long seq,
        String consumer,
        UUID eventId,
        String key,
        String type,
        String reason,
        String detail,
        int attempts,
        Instant parkedAt,
        Instant nextAttemptAt,
        boolean gapAccepted,
        String topic,
        int partition,
        long offset,
        @JsonIgnore List<String> headers,
        @JsonIgnore byte[] payload) {

    static final String COLUMNS = """
            seq, consumer, event_id, key, type, reason, detail, attempts, parked_at, next_attempt_at, gap_accepted,
            topic, partition, "offset", headers, payload
            """;

    /** The same without what may be large. */
    static final String COLUMNS_OF_A_LIST =
            COLUMNS.replace("headers, payload", "'{}'::text[] AS headers, NULL::bytea AS payload");

    static ParkedEvent of(ResultSet row) throws SQLException {
        var next = row.getObject(10, OffsetDateTime.class);
        return new ParkedEvent(
                row.getLong(1),
                row.getString(2),
                row.getObject(3, UUID.class),
                row.getString(4),
                row.getString(5),
                row.getString(6),
                row.getString(7),
                row.getInt(8),
                row.getObject(9, OffsetDateTime.class).toInstant(),
                next == null ? null : next.toInstant(),
                row.getBoolean(11),
                row.getString(12),
                row.getInt(13),
                row.getLong(14),
                List.of((String[]) row.getArray(15).getArray()),
                row.getBytes(16));
    }

    /** Topic, partition and offset. */
    String coordinates() {
        return topic + '-' + partition + '@' + offset;
    }

    /** Decodes the record again, since the code may have been fixed after it was parked. */
    ConsumedRecord toRecord(EventPayloads payloads) {
        var recordHeaders = new RecordHeaders();
        for (var header : headers) {
            var equals = header.indexOf('=');
            if (equals >= 0) { // or it is one that an older version cut off within its name
                recordHeaders.add(
                        header.substring(0, equals),
                        header.substring(equals + 1).getBytes(UTF_8));
            }
        }
        return ConsumedRecord.of(
                new ConsumerRecord<>(
                        topic,
                        partition,
                        offset,
                        ConsumerRecord.NO_TIMESTAMP,
                        TimestampType.NO_TIMESTAMP_TYPE,
                        ConsumerRecord.NULL_SIZE,
                        ConsumerRecord.NULL_SIZE,
                        key,
                        payload,
                        recordHeaders,
                        Optional.empty()),
                payloads);
    }

    /** As {@link #toRecord} reads them. */
    static String[] headers(ConsumerRecord<String, byte[]> raw) {
        var headers = new ArrayList<String>();
        for (var header : raw.headers()) {
            var name = StorableText.of(header.key()).replace('=', '\uFFFD'); // or it would end there
            var value = StorableText.of(header.value() == null ? "" : new String(header.value(), UTF_8));
            headers.add(name + '=' + value);
        }
        return headers.toArray(String[]::new);
    }

    /** Null when it names none. */
    String contentType() {
        var prefix = EventHeaders.CONTENT_TYPE + '=';
        return headers.stream()
                .filter(header -> header.startsWith(prefix))
                .reduce((_, last) -> last)
                .map(header -> header.substring(prefix.length()))
                .filter(type -> !type.isEmpty())
                .orElse(null);
    }
}
