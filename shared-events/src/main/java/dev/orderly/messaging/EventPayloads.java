package dev.orderly.messaging;

import dev.orderly.database.OutageException;
import dev.orderly.events.Event;
import dev.orderly.events.EventCodec;
import dev.orderly.events.EventFormat;
import dev.orderly.events.EventJson;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Reads the events of records by their content type, so that records of all formats may be on a topic beside
 * each other. Which one this service writes is no matter here.
 *
 * <p>The schema that a record was written with is fetched once by its id, and kept: a registry that is away
 * holds up nothing but the first record of a schema, and those behind it.
 */
@ApplicationScoped
class EventPayloads {

    /** Ids are in records, which others may have written: they must not fill the memory. */
    private static final int MAX_SCHEMAS = 1000;

    /** For so long an id that the registry does not know is not asked for again. */
    private static final Duration UNKNOWN_FOR = Duration.ofSeconds(10);

    /** For so long a registry that did not answer is not asked again: each who did would wait for as long. */
    private static final Duration AWAY_FOR = Duration.ofSeconds(1);

    private final SchemaRegistry registry;
    private final Map<Key, Found> schemas = new ConcurrentHashMap<>();
    private volatile Away away;

    EventPayloads(SchemaRegistry registry) {
        this.registry = registry;
    }

    private record Key(EventFormat format, int id) {}

    /** @param problem why there is none, and until when that is believed */
    private record Found(EventCodec.Schema schema, String problem, long until) {}

    private record Away(OutageException failure, long until) {}

    /**
     * The event that a record carries, a tombstone too.
     *
     * @param contentType null for JSON
     * @throws IOException as {@link EventJson#read(Class, String, byte[])} and {@link EventCodec#read}; or
     *     when the schema is not known
     * @throws IllegalArgumentException when the content type is not known, or the key of a tombstone is no
     *     UUID
     * @throws OutageException when the registry does not answer, and the schema is new
     */
    Event read(Class<? extends Event> type, String contentType, String key, byte[] value) throws IOException {
        var format = EventFormat.ofContentType(contentType);
        if (format == EventFormat.JSON || value == null) {
            return EventJson.read(type, key, value);
        }
        return EventCodec.read(format, type, schema(format, EventCodec.schemaId(value)), value);
    }

    private EventCodec.Schema schema(EventFormat format, int id) throws IOException {
        var key = new Key(format, id);
        var known = schemas.get(key);
        if (known == null || known.schema == null && known.until - System.nanoTime() < 0) {
            known = fetch(format, id);
            if (schemas.size() >= MAX_SCHEMAS) {
                schemas.clear();
            }
            schemas.put(key, known);
        }
        if (known.schema == null) {
            throw new IOException(known.problem);
        }
        return known.schema;
    }

    private Found fetch(EventFormat format, int id) {
        var last = away;
        if (last != null && last.until - System.nanoTime() > 0) {
            throw last.failure;
        }
        try {
            var registered = registry.schema(id);
            if (registered.type().equals(format.name())) {
                return new Found(EventCodec.schema(format, registered.text()), null, 0);
            }
            return unusable("schema " + id + " is of " + registered.type());
        } catch (OutageException e) {
            away = new Away(e, System.nanoTime() + AWAY_FOR.toNanos());
            throw e;
        } catch (IOException e) {
            return unusable(e.getMessage());
        }
    }

    private static Found unusable(String problem) {
        return new Found(null, problem, System.nanoTime() + UNKNOWN_FOR.toNanos());
    }
}
