package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * The bytes of an event in each {@link EventFormat}. JSON is plain. The others are in the wire format that
 * the clients of Confluent's schema registry have made common (<a
 * href="https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html">
 * reference</a>): a zero byte, the id of the schema in 4 bytes, for Protobuf the place of the message in its
 * file, then the value.
 *
 * <p>All are encodings of the tree that the JSON is a text of. So an event is checked in one place, {@link
 * EventJson}, however it arrived. The way through the tree costs a few microseconds, which is little beside
 * the statement that follows; to map each type to each format by hand would be several hundred lines.
 */
public final class EventCodec {

    /** The newest released version of the schemas, a folder of resources: {@code schemas/v1}. */
    static final int RELEASE = 1;

    private static final byte MAGIC = 0;
    private static final int PREFIX = 5;

    private EventCodec() {}

    /** What reading takes of the schema that a record was written with. */
    public static final class Schema {
        private final AvroEncoding.WriterSchema avro;

        private Schema(AvroEncoding.WriterSchema avro) {
            this.avro = avro;
        }
    }

    /**
     * The subject under which the schema is registered: topic and full name of the type, as by Confluent's
     * TopicRecordNameStrategy. Its names are of one format each, since a subject cannot change its format.
     */
    public static String subject(EventFormat format, Class<? extends Event> type) {
        return Topic.of(type).topicName() + "-dev.orderly." + lowerCase(format) + "." + type.getSimpleName();
    }

    /** The text of the schema that events of this type are written with. A tombstone's type has none. */
    public static String schema(EventFormat format, Class<? extends Event> type) {
        return schema(format, type, RELEASE);
    }

    static String schema(EventFormat format, Class<? extends Event> type, int release) {
        var suffix = switch (format) {
            case JSON -> ".json";
            case AVRO -> ".avsc";
            case PROTOBUF -> ".proto";
        };
        var name = "/schemas/v" + release + "/" + lowerCase(format) + "/" + type.getSimpleName() + suffix;
        try (var text = EventCodec.class.getResourceAsStream(name)) {
            if (text == null) {
                throw new IllegalArgumentException("there is no schema " + name);
            }
            return new String(text.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String lowerCase(EventFormat format) {
        return format.name().toLowerCase(Locale.ROOT);
    }

    /**
     * A schema that a record was written with, by the text that the registry has of it.
     *
     * @throws IOException when the text is not a schema
     */
    public static Schema schema(EventFormat format, String text) throws IOException {
        // The numbers of fields are all that a reader of Protobuf needs, and it has those from its own
        // schema.
        return new Schema(format == EventFormat.AVRO ? AvroEncoding.parse(text) : null);
    }

    /**
     * The id of the schema that a value in Avro or Protobuf names.
     *
     * @throws IOException when the value does not begin as such a value does
     */
    public static int schemaId(byte[] value) throws IOException {
        if (value.length < PREFIX || value[0] != MAGIC) {
            throw new IOException("the value does not begin with the id of a schema");
        }
        return ByteBuffer.wrap(value).getInt(1);
    }

    /**
     * The value of the record, or null for a tombstone.
     *
     * @param schemaId by which readers find the {@linkplain #schema(EventFormat, Class) schema}; of no use
     *     with JSON
     */
    public static byte[] write(EventFormat format, Event event, int schemaId) {
        if (event.erasesKey()) {
            return null;
        }
        if (format == EventFormat.JSON) {
            return EventJson.write(event).getBytes(UTF_8);
        }
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            out.writeByte(MAGIC);
            out.writeInt(schemaId);
            if (format == EventFormat.AVRO) {
                AvroEncoding.write(event.getClass(), EventJson.tree(event), out);
            } else {
                ProtobufEncoding.write(event.getClass(), EventJson.tree(event), out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /**
     * @param schema that the value was written with, see {@link #schemaId}; of no use with JSON
     * @throws IOException when the value is not an event of this type in this format; the message repeats no
     *     part of it, which may be personal data
     */
    public static <E extends Event> E read(EventFormat format, Class<E> type, Schema schema, byte[] value)
            throws IOException {
        if (format == EventFormat.JSON) {
            return EventJson.read(type, value);
        }
        schemaId(value);
        JsonNode tree;
        try {
            var content = ByteBuffer.wrap(value, PREFIX, value.length - PREFIX);
            tree = format == EventFormat.AVRO
                    ? AvroEncoding.read(type, schema.avro, content)
                    : ProtobufEncoding.read(type, content);
        } catch (IOException | RuntimeException | StackOverflowError e) {
            // Which exceptions bytes of others can provoke in the libraries they do not promise, and what
            // their messages repeat neither.
            throw new IOException("not a %s: no valid %s (%s)"
                    .formatted(type.getSimpleName(), format, e.getClass().getSimpleName()));
        }
        return EventJson.read(type, tree);
    }
}
