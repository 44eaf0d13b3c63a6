package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.messaging.ConsumedRecord.Undecodable;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class RecordIdentityTest {

    private static final long NOW = Instant.parse("2026-11-23T10:15:30.123Z").toEpochMilli();
    private static final long DAY = 86_400_000;

    @Test
    void an_unreadable_record_is_the_same_at_each_delivery_and_dated_as_it_is() {
        var identity = read(record("no uuid", 7, NOW)).eventId();

        assertThat(read(record("no uuid", 7, NOW)).eventId()).isEqualTo(identity);
        assertThat(identity.version()).isEqualTo(7);
        assertThat(identity.variant()).isEqualTo(2);
        assertThat(identity.getMostSignificantBits() >>> 16).isEqualTo(NOW);
    }

    @Test
    void an_unreadable_record_is_another_when_the_topic_is_made_again() {
        assertThat(read(record("no uuid", 7, NOW)).eventId())
                .isNotEqualTo(read(record("no uuid", 7, NOW + 1)).eventId())
                .isNotEqualTo(read(record("no uuid", 8, NOW)).eventId());
    }

    @Test
    void an_id_of_the_far_future_is_unreadable() {
        assertThat(problem(NOW + 2 * DAY)).isEqualTo("header id is dated in the future");
        assertThat(problem(NOW + DAY / 2)).isNotEqualTo("header id is dated in the future");
        assertThat(problem(NOW - 100 * DAY)).isNotEqualTo("header id is dated in the future");
    }

    private static ConsumedRecord read(ConsumerRecord<String, byte[]> record) {
        return ConsumedRecord.of(record, new EventPayloads(null)); // none gets as far as a schema
    }

    private static String problem(long idDate) {
        var id = new UUID(idDate << 16 | 0x7000, Long.MIN_VALUE).toString();
        return ((Undecodable) read(record(id, 7, NOW))).problem();
    }

    /** Of no type, so that it is unreadable whatever its id. */
    private static ConsumerRecord<String, byte[]> record(String id, long offset, long timestamp) {
        var headers = new RecordHeaders();
        headers.add("id", id.getBytes(UTF_8));
        return new ConsumerRecord<>(
                "order-service",
                0,
                offset,
                timestamp,
                TimestampType.CREATE_TIME,
                0,
                0,
                "key",
                new byte[0],
                headers,
                Optional.empty());
    }
}
