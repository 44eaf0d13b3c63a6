package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import java.io.IOException;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record of the topic, as far as it could be understood. Reading touches no database, so it happens once, before the
 * transaction that may be repeated.
 */
sealed interface ConsumedRecord {

    ConsumerRecord<String, byte[]> record();

    /** The identity by which the inbox knows a redelivery. */
    UUID eventId();

    /** The order or customer that it belongs to as it can be stored, or null: a record without a key holds up no other. */
    default String key() {
        return ParkedEvents.storable(record().key());
    }

    /** It has a place in the sequence of what its source has published about the order or customer. */
    sealed interface Versioned extends ConsumedRecord {
        UUID about();

        String source();

        int version();
    }

    record Decoded(ConsumerRecord<String, byte[]> record, IncomingEvent<?> received) implements Versioned {
        @Override
        public UUID eventId() {
            return received.eventId();
        }

        @Override
        public UUID about() {
            return received.event().id();
        }

        @Override
        public String source() {
            return received.source();
        }

        @Override
        public int version() {
            return received.version();
        }
    }

    /** Of a type that this code does not know: of no interest, but the next version follows it. */
    record UnknownType(ConsumerRecord<String, byte[]> record, UUID eventId, UUID about, String source, int version)
            implements Versioned {}

    record Undecodable(ConsumerRecord<String, byte[]> record, UUID eventId, String problem) implements ConsumedRecord {}

    static ConsumedRecord of(ConsumerRecord<String, byte[]> record) {
        try {
            var eventId = UUID.fromString(required(record, EventHeaders.ID));
            var source = required(record, EventHeaders.SOURCE);
            var version = Integer.parseInt(required(record, EventHeaders.VERSION));
            if (version < 1) {
                throw new IllegalArgumentException("header version must be positive: " + version);
            }
            var type = type(record);
            if (type == null) {
                return new UnknownType(record, eventId, UUID.fromString(String.valueOf(record.key())), source, version);
            }
            var schema = Integer.parseInt(required(record, EventHeaders.SCHEMA));
            if (schema < 1 || schema > EventJson.SCHEMA) {
                throw new IllegalArgumentException("schema " + schema + " is not supported");
            }
            var event = EventJson.read(type, record.key(), record.value());
            if (!event.id().toString().equals(record.key())) {
                throw new IllegalArgumentException("the key is not the id");
            }
            return new Decoded(
                    record,
                    new IncomingEvent<>(
                            event,
                            eventId,
                            source,
                            version,
                            header(record, EventHeaders.TRACEPARENT),
                            record.partition(),
                            record.offset()));
        } catch (IOException | IllegalArgumentException e) {
            return new Undecodable(record, identity(record), e.getMessage());
        }
    }

    /** The type that the record's header names, or null when there is none or this code does not know it. */
    static Class<? extends Event> type(ConsumerRecord<String, byte[]> record) {
        var name = header(record, EventHeaders.TYPE);
        return name == null ? null : EventJson.typeNamed(name);
    }

    /** The value of a header, or null when the record has none of that name. */
    static String header(ConsumerRecord<String, byte[]> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
    }

    private static String required(ConsumerRecord<String, byte[]> record, String name) {
        var value = header(record, name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException("header " + name + " is missing");
        }
        return value;
    }

    /** The coordinates, not the id header: that may be the very thing that is wrong, or that of another event. */
    private static UUID identity(ConsumerRecord<String, byte[]> record) {
        return UUID.nameUUIDFromBytes(
                (record.topic() + '/' + record.partition() + '/' + record.offset()).getBytes(UTF_8));
    }
}
