package dev.orderly.events;

import static java.util.function.Function.identity;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toUnmodifiableMap;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.orderly.events.CustomerEvent.CustomerErased;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The JSON of events. It has a mapper of its own, so that the configuration of HTTP cannot change the wire
 * format. Writers are exact. Readers ignore fields they do not know, so that a newer writer can add one, and
 * reject what they would misread.
 */
public final class EventJson {

    /** The newest {@linkplain Event#schema schema version} that this code reads. */
    public static final int SCHEMA = 2;

    private static final Map<String, Class<? extends Event>> TYPES = Stream.of(OrderEvent.class, CustomerEvent.class)
            .flatMap(kind -> Arrays.stream(kind.getPermittedSubclasses()))
            .map(type -> type.<Event>asSubclass(Event.class))
            .collect(toUnmodifiableMap(Class::getSimpleName, identity()));

    private static final ObjectMapper JSON = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private EventJson() {}

    /** The type that a {@code type} header names, or null when this code does not know it. */
    public static Class<? extends Event> typeNamed(String name) {
        return TYPES.get(name);
    }

    /** The value of the record, or null for a tombstone. */
    public static String write(Event event) {
        return event.erasesKey() ? null : writeValue(event);
    }

    /** A part of an event, such as its lines, in the wire format. */
    public static String writeValue(Object part) {
        try {
            return JSON.writeValueAsString(part);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The event that a record carries, a tombstone too.
     *
     * @throws IOException as {@link #read(Class, byte[])}, or when a value is missing or is not expected
     * @throws IllegalArgumentException when the key of a tombstone is not a UUID
     */
    public static Event read(Class<? extends Event> type, String key, byte[] value) throws IOException {
        var tombstone = value == null;
        if (tombstone != (type == CustomerErased.class)) {
            throw new IOException(tombstone ? "the value is null" : "a tombstone has no value");
        }
        return tombstone ? new CustomerErased(UUID.fromString(String.valueOf(key))) : read(type, value);
    }

    /**
     * @throws IOException when the value is not JSON, or not an event of this type; the message says where
     *     and why, but repeats no value, which may be personal data
     */
    public static <E extends Event> E read(Class<E> type, byte[] value) throws IOException {
        try {
            return notNull(JSON.readValue(value, type), type);
        } catch (JsonProcessingException e) {
            throw new IOException("not a " + type.getSimpleName() + ": " + problem(e));
        }
    }

    /** What the JSON of an event is the text of. */
    static JsonNode tree(Event event) {
        return JSON.valueToTree(event);
    }

    /** The same as {@link #read(Class, byte[])}, of a tree. */
    static <E extends Event> E read(Class<E> type, JsonNode tree) throws IOException {
        try {
            return notNull(JSON.treeToValue(tree, type), type);
        } catch (JsonProcessingException e) {
            throw new IOException("not a " + type.getSimpleName() + ": " + problem(e));
        }
    }

    private static <E extends Event> E notNull(E event, Class<E> type) throws IOException {
        if (event == null) {
            throw new IOException("not a " + type.getSimpleName() + ": null");
        }
        return event;
    }

    private static String problem(JsonProcessingException e) {
        if (!(e instanceof JsonMappingException mismatch)) {
            return "no valid JSON";
        }
        // The messages of the events' own checks repeat nothing; Jackson's repeat what they could not read.
        var why = mismatch instanceof ValueInstantiationException && mismatch.getCause() != null
                ? mismatch.getCause().getMessage()
                : "does not have the form that is expected";
        var where = mismatch.getPath().stream()
                .map(step -> step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName())
                .collect(joining());
        return where.isEmpty() ? why : where.substring(1) + ": " + why;
    }

    /** Reads what {@link #writeValue} wrote. */
    public static <T> T readValue(Class<T> type, String json) {
        try {
            return JSON.readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
