package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import java.io.IOException;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record of a topic, decoded as far as possible. Decoding touches no database, so it happens once, before
 * the transaction that may be repeated.
 */
sealed interface ConsumedRecord {

    /** In every index of a source: other programs' names need not fit. */
    Pattern SOURCE = Pattern.compile("[a-z0-9-]{1,64}");

    /** {@link Integer#parseInt} accepts more: signs, digits of any script, any number of zeros. */
    Pattern NUMBER = Pattern.compile("[0-9]{1,10}");

    /** By which the clock that dated an id may differ from that of its record. */
    Duration MAX_AHEAD = Duration.ofDays(1);

    ConsumerRecord<String, byte[]> raw();

    /** The identity by which the inbox detects a redelivery. */
    UUID eventId();

    /** The key in the form in which it can be stored, or null: a record without a key blocks no other. */
    default String key() {
        return StorableText.of(raw().key());
    }

    /** Topic, partition and offset. */
    default String coordinates() {
        return raw().topic() + '-' + raw().partition() + '@' + raw().offset();
    }

    /** A record that has a place in the sequence of what its source publishes about an aggregate. */
    sealed interface Versioned extends ConsumedRecord {
        UUID aggregateId();

        String source();

        int version();
    }

    record Decoded(ConsumerRecord<String, byte[]> raw, IncomingEvent<?> incoming) implements Versioned {
        @Override
        public UUID eventId() {
            return incoming.eventId();
        }

        @Override
        public UUID aggregateId() {
            return incoming.event().id();
        }

        @Override
        public String source() {
            return incoming.source();
        }

        @Override
        public int version() {
            return incoming.version();
        }
    }

    /** Of a type that this code does not know: it changes nothing, but the next version follows it. */
    record UnknownType(ConsumerRecord<String, byte[]> raw, UUID eventId, UUID aggregateId, String source, int version)
            implements Versioned {}

    /** By a newer writer, in a schema that this code cannot read: a newer instance can. */
    record NewerSchema(
            ConsumerRecord<String, byte[]> raw, UUID eventId, UUID aggregateId, String source, int version, int schema)
            implements Versioned {

        String problem() {
            return "schema %d is newer than %d, which this instance reads".formatted(schema, EventJson.SCHEMA);
        }
    }

    record Undecodable(ConsumerRecord<String, byte[]> raw, UUID eventId, String problem) implements ConsumedRecord {}

    /** @throws dev.orderly.database.OutageException see {@link EventPayloads#read} */
    static ConsumedRecord of(ConsumerRecord<String, byte[]> raw, EventPayloads payloads) {
        try {
            var eventId = eventId(raw);
            var source = source(raw);
            var version = positive(raw, EventHeaders.VERSION);
            var type = type(raw);
            if (type == null) {
                return new UnknownType(raw, eventId, aggregateId(raw), source, version);
            }
            var schema = positive(raw, EventHeaders.SCHEMA);
            if (schema > EventJson.SCHEMA) {
                return new NewerSchema(raw, eventId, aggregateId(raw), source, version, schema);
            }
            return new Decoded(
                    raw,
                    new IncomingEvent<>(
                            event(type, raw, payloads),
                            eventId,
                            source,
                            version,
                            header(raw, EventHeaders.TRACEPARENT),
                            raw.partition(),
                            raw.offset()));
        } catch (IOException | IllegalArgumentException e) {
            return new Undecodable(raw, identity(raw), e.getMessage());
        }
    }

    private static Event event(Class<? extends Event> type, ConsumerRecord<String, byte[]> raw, EventPayloads payloads)
            throws IOException {
        var event = payloads.read(type, header(raw, EventHeaders.CONTENT_TYPE), raw.key(), raw.value());
        if (!event.id().toString().equals(raw.key())) {
            throw new IllegalArgumentException("the key is not the id");
        }
        return event;
    }

    private static UUID aggregateId(ConsumerRecord<String, byte[]> raw) {
        return UUID.fromString(String.valueOf(raw.key()));
    }

    private static String source(ConsumerRecord<String, byte[]> raw) {
        var source = required(raw, EventHeaders.SOURCE);
        if (!SOURCE.matcher(source).matches()) {
            throw new IllegalArgumentException("header source is not the name of a service");
        }
        return source;
    }

    private static int positive(ConsumerRecord<String, byte[]> raw, String name) {
        var value = required(raw, name);
        var number = NUMBER.matcher(value).matches() ? Long.parseLong(value) : 0;
        if (number < 1 || number > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("header " + name + " is not a positive number");
        }
        return (int) number;
    }

    /** The type that the record's header names, or null when there is none or this code does not know it. */
    static Class<? extends Event> type(ConsumerRecord<String, byte[]> raw) {
        var name = header(raw, EventHeaders.TYPE);
        return name == null ? null : EventJson.typeNamed(name);
    }

    /** The value of a header, or null when the record has none of that name. */
    static String header(ConsumerRecord<String, byte[]> raw, String name) {
        var header = raw.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
    }

    private static String required(ConsumerRecord<String, byte[]> raw, String name) {
        var value = header(raw, name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("header " + name + " is missing");
        }
        return value;
    }

    /**
     * The inbox drops an event with the day of its id, and never a day of the far future. A time in the first
     * day of 1970 is none: some producers send 0 or 1.
     */
    private static UUID eventId(ConsumerRecord<String, byte[]> raw) {
        var id = UUID.fromString(required(raw, EventHeaders.ID));
        if (raw.timestamp() > MAX_AHEAD.toMillis()
                && id.version() == 7
                && id.getMostSignificantBits() >>> 16 > raw.timestamp() + MAX_AHEAD.toMillis()) {
            throw new IllegalArgumentException("header id is dated in the future");
        }
        return id;
    }

    /**
     * From the coordinates, not the id header, which may be malformed or that of another event. With the time
     * of the record: it tells it from one at the same place when the topic is made again, and as a UUIDv7 of
     * that time the inbox drops it with its day.
     */
    private static UUID identity(ConsumerRecord<String, byte[]> raw) {
        var millis = Math.max(0, raw.timestamp());
        var place = raw.topic() + '/' + raw.partition() + '/' + raw.offset() + '/' + millis;
        var hash = UUID.nameUUIDFromBytes(place.getBytes(UTF_8));
        return new UUID(millis << 16 | 0x7000 | hash.getMostSignificantBits() & 0x0FFF, hash.getLeastSignificantBits());
    }
}
