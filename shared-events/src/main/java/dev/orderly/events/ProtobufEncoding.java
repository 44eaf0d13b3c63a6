package dev.orderly.events;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.TimestampProto;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * The tree of an event as Protobuf, by the descriptors that the build has made of the schemas. It is read by
 * this code's own schema, whichever it was written with: what they have in common has the same numbers.
 */
final class ProtobufEncoding {

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String DESCRIPTORS = "/schemas/events.binpb";
    private static final Descriptor TIME = Timestamp.getDescriptor();

    /** The place of an event in its file: it is the first message there, which is written in short. */
    private static final int FIRST_MESSAGE = 0;

    private static final Map<String, Descriptor> TYPES = types();

    private ProtobufEncoding() {}

    private static Map<String, Descriptor> types() {
        try (var file = ProtobufEncoding.class.getResourceAsStream(DESCRIPTORS)) {
            var types = new HashMap<String, Descriptor>();
            var imported = new FileDescriptor[] {TimestampProto.getDescriptor()};
            for (var schema : FileDescriptorSet.parseFrom(file).getFileList()) {
                var event = FileDescriptor.buildFrom(schema, imported)
                        .getMessageTypes()
                        .getFirst();
                types.put(event.getName(), event);
            }
            return Map.copyOf(types);
        } catch (IOException | DescriptorValidationException e) {
            throw new IllegalStateException("the build has made no descriptors of the schemas", e);
        }
    }

    static Descriptor descriptor(Class<? extends Event> type) {
        return TYPES.get(type.getSimpleName());
    }

    static void write(Class<? extends Event> type, JsonNode tree, OutputStream out) throws IOException {
        out.write(FIRST_MESSAGE);
        message(descriptor(type), tree).writeTo(out);
    }

    static JsonNode read(Class<? extends Event> type, ByteBuffer value) throws IOException {
        var in = CodedInputStream.newInstance(value.array(), value.position(), value.remaining());
        var steps = in.readSInt32();
        if (steps != 0 && (steps != 1 || in.readSInt32() != FIRST_MESSAGE)) {
            throw new IOException("another message than the first of its file");
        }
        var message = DynamicMessage.parseFrom(descriptor(type), in);
        in.checkLastTagWas(0); // else it ended before the value did
        return tree(message);
    }

    private static Message message(Descriptor type, JsonNode node) {
        var message = DynamicMessage.newBuilder(type);
        for (var field : type.getFields()) {
            var value = node.path(field.getJsonName());
            if (field.isRepeated()) {
                value.forEach(item -> message.addRepeatedField(field, fieldValue(field, item)));
            } else if (!value.isMissingNode()) {
                message.setField(field, fieldValue(field, value));
            }
        }
        return message.build();
    }

    private static Object fieldValue(FieldDescriptor field, JsonNode node) {
        return switch (field.getJavaType()) {
            case MESSAGE ->
                field.getMessageType() == TIME
                        ? timestamp(Instant.parse(node.textValue()))
                        : message(field.getMessageType(), node);
            case ENUM -> field.getEnumType().findValueByName(node.textValue());
            case STRING -> node.textValue();
            case INT -> node.intValue();
            case LONG -> node.longValue();
            default -> throw new IllegalStateException("events have nothing of type " + field.getJavaType());
        };
    }

    private static Timestamp timestamp(Instant time) {
        return Timestamp.newBuilder()
                .setSeconds(time.getEpochSecond())
                .setNanos(time.getNano())
                .build();
    }

    private static JsonNode tree(Message message) {
        var node = NODES.objectNode();
        for (var field : message.getDescriptorForType().getFields()) {
            var value = message.getField(field);
            if (field.isRepeated()) {
                var items = node.putArray(field.getJsonName());
                ((Collection<?>) value).forEach(item -> items.add(tree(field, item)));
            } else if (!field.hasPresence() || message.hasField(field)) {
                node.set(field.getJsonName(), tree(field, value));
            }
        }
        return node;
    }

    private static JsonNode tree(FieldDescriptor field, Object value) {
        return switch (field.getJavaType()) {
            case MESSAGE ->
                field.getMessageType() == TIME ? NODES.pojoNode(instant((Message) value)) : tree((Message) value);
            case ENUM -> NODES.textNode(((EnumValueDescriptor) value).getName());
            case STRING -> NODES.textNode((String) value);
            case INT -> NODES.numberNode((int) value);
            case LONG -> NODES.numberNode((long) value);
            default -> throw new IllegalStateException("events have nothing of type " + field.getJavaType());
        };
    }

    private static Instant instant(Message time) {
        return Instant.ofEpochSecond((long) time.getField(TIME.findFieldByNumber(Timestamp.SECONDS_FIELD_NUMBER)), (int)
                time.getField(TIME.findFieldByNumber(Timestamp.NANOS_FIELD_NUMBER)));
    }
}
