package dev.orderly.events;

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
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.EncoderFactory;

/** The tree of an event as Avro, by the schema of its type. */
final class AvroEncoding {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Map<Class<? extends Event>, Schema> SCHEMAS = new ConcurrentHashMap<>();

    private AvroEncoding() {}

    /**
     * A schema that values were written with, maybe older or newer than this code's. To resolve it against
     * the own one costs more than to read a value, so that is done once.
     */
    static final class WriterSchema {
        private final Schema schema;
        private final Map<Class<? extends Event>, GenericDatumReader<IndexedRecord>> readers =
                new ConcurrentHashMap<>();

        private WriterSchema(Schema schema) {
            this.schema = schema;
        }

        private GenericDatumReader<IndexedRecord> reader(Class<? extends Event> type) {
            return readers.computeIfAbsent(type, own -> new GenericDatumReader<>(schema, schema(own)));
        }
    }

    static WriterSchema parse(String text) throws IOException {
        try {
            return new WriterSchema(new Schema.Parser().parse(text));
        } catch (RuntimeException e) { // not only those that it promises
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

    static JsonNode read(Class<? extends Event> type, WriterSchema writer, ByteBuffer value) throws IOException {
        var decoder = new BoundedDecoder(value);
        var datum = writer.reader(type).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IOException("trailing content");
        }
        return tree(datum.getSchema(), datum);
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
}
