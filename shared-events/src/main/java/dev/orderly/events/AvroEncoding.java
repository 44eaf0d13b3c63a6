package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.util.Utf8;

/** The tree of an event as Avro, by the schema of its type. */
final class AvroEncoding {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Map<Class<? extends Event>, Schema> SCHEMAS = new ConcurrentHashMap<>();

    private AvroEncoding() {}

    static Schema parse(String text) throws IOException {
        try {
            return new Schema.Parser().parse(text);
        } catch (AvroRuntimeException e) {
            throw new IOException("the schema is not one of Avro: " + e.getMessage(), e);
        }
    }

    private static Schema schema(Class<? extends Event> type) {
        return SCHEMAS.computeIfAbsent(
                type, missing -> new Schema.Parser().parse(EventCodec.schema(EventFormat.AVRO, missing)));
    }

    static void write(Class<? extends Event> type, JsonNode tree, OutputStream out) throws IOException {
        var schema = schema(type);
        var encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        new GenericDatumWriter<Object>(schema).write(datum(schema, tree), encoder);
    }

    /** @param writer the schema that the value was written with, maybe older or newer than this code's */
    static JsonNode read(Class<? extends Event> type, Schema writer, ByteBuffer value) throws IOException {
        var decoder = DecoderFactory.get()
                .binaryDecoder(value.array(), value.position(), value.remaining(), new BoundedDecoder());
        var schema = schema(type);
        var datum = new GenericDatumReader<IndexedRecord>(writer, schema).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IOException("trailing content");
        }
        return tree(schema, datum);
    }

    private static Object datum(Schema schema, JsonNode node) {
        return switch (schema.getType()) {
            case RECORD -> {
                var datum = new GenericData.Record(schema);
                for (var field : schema.getFields()) {
                    datum.put(field.pos(), datum(field.schema(), node.path(field.name())));
                }
                yield datum;
            }
            case ARRAY -> {
                var items = new ArrayList<>(node.size());
                node.forEach(item -> items.add(datum(schema.getElementType(), item)));
                yield items;
            }
            case UNION -> node.isMissingNode() ? null : datum(schema.getTypes().getLast(), node);
            case ENUM -> new GenericData.EnumSymbol(schema, node.textValue());
            case STRING -> node.textValue();
            case INT -> node.intValue();
            case LONG -> isTime(schema) ? Instant.parse(node.textValue()).toEpochMilli() : node.longValue();
            default -> throw new IllegalStateException("events have nothing of type " + schema.getType());
        };
    }

    private static JsonNode tree(Schema schema, Object datum) {
        return switch (schema.getType()) {
            case RECORD -> {
                var node = NODES.objectNode();
                var record = (IndexedRecord) datum;
                for (var field : schema.getFields()) {
                    var value = record.get(field.pos());
                    if (value != null) {
                        node.set(field.name(), tree(field.schema(), value));
                    }
                }
                yield node;
            }
            case ARRAY -> {
                var node = NODES.arrayNode();
                ((Collection<?>) datum).forEach(item -> node.add(tree(schema.getElementType(), item)));
                yield node;
            }
            case UNION -> tree(schema.getTypes().getLast(), datum);
            case ENUM, STRING -> NODES.textNode(datum.toString());
            case INT -> NODES.numberNode((int) datum);
            case LONG ->
                isTime(schema) ? NODES.pojoNode(Instant.ofEpochMilli((long) datum)) : NODES.numberNode((long) datum);
            default -> throw new IllegalStateException("events have nothing of type " + schema.getType());
        };
    }

    private static boolean isTime(Schema schema) {
        return schema.getLogicalType() != null;
    }

    /**
     * Takes no length from a value that is more than what is left of it. Avro's own decoder allocates up to 2
     * GB for a string or an array that a record of ten bytes announces; its limits are system properties, and
     * would be those of the whole process.
     */
    private static final class BoundedDecoder extends BinaryDecoder {

        private int bounded(long length) throws IOException {
            if (length < 0 || length > inputStream().available()) {
                throw new IOException("a length is negative, or beyond the end");
            }
            return (int) length;
        }

        @Override
        public Utf8 readString(Utf8 old) throws IOException {
            // Strict, as JSON and Protobuf are: a text that is not UTF-8 would be read as another.
            return new Utf8(UTF_8.newDecoder().decode(readBytes(null)).toString());
        }

        @Override
        public ByteBuffer readBytes(ByteBuffer old) throws IOException {
            var bytes = new byte[bounded(readLong())];
            readFixed(bytes, 0, bytes.length);
            return ByteBuffer.wrap(bytes);
        }

        @Override
        protected long doReadItemCount() throws IOException {
            return bounded(super.doReadItemCount()); // no item of an event takes less than a byte
        }

        @Override
        public long skipArray() throws IOException {
            return bounded(super.skipArray());
        }

        @Override
        public long skipMap() throws IOException {
            return bounded(super.skipMap());
        }
    }
}
