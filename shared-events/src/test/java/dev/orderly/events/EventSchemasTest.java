package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Timestamp;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.orderly.testing.EventSamples;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.avro.JsonProperties;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The schemas say the same as the sealed types: every type, every field with its type, what may be missing,
 * and every constant. Each schema is reduced to a text of the same form, which is compared.
 */
class EventSchemasTest {

    private static final Path SCHEMAS =
            Path.of(System.getProperty("orderly.checkout"), "shared-events/src/main/resources/schemas");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Of the formats that have no type for ids, or one for all integers. */
    private static final Map<EventFormat, List<String>> COARSER = Map.of(
            EventFormat.JSON, List.of("\\b(int|long)\\b", "integer"),
            EventFormat.AVRO, List.of("", ""),
            EventFormat.PROTOBUF, List.of("\\buuid\\b", "string"));

    /** All that have a value. */
    static Stream<Class<? extends Event>> types() {
        return Stream.concat(EventSamples.ORDER_EVENTS.stream(), EventSamples.CUSTOMER_EVENTS.stream())
                .filter(event -> !event.erasesKey())
                .map(Event::getClass);
    }

    @ParameterizedTest
    @MethodSource("types")
    void the_schemas_of_a_type_have_its_fields_and_constants(Class<? extends Event> type) throws IOException {
        var shape = shape(type);

        assertThat(shapeOfJson(JSON.readTree(EventCodec.schema(EventFormat.JSON, type))))
                .isEqualTo(coarser(shape, EventFormat.JSON));
        assertThat(shapeOfAvro(new Schema.Parser().parse(EventCodec.schema(EventFormat.AVRO, type))))
                .isEqualTo(coarser(shape, EventFormat.AVRO));
        assertThat(shapeOfProtobuf(ProtobufEncoding.descriptor(type))).isEqualTo(coarser(shape, EventFormat.PROTOBUF));
    }

    private static String coarser(String shape, EventFormat format) {
        var change = COARSER.get(format);
        return change.getFirst().isEmpty() ? shape : shape.replaceAll(change.getFirst(), change.getLast());
    }

    private static String shape(Type type) {
        if (type instanceof ParameterizedType list) {
            return "[" + shape(list.getActualTypeArguments()[0]) + "]";
        }
        var kind = (Class<?>) type;
        if (kind == UUID.class || kind == int.class || kind == long.class) {
            return kind.getSimpleName().toLowerCase();
        }
        if (kind == Instant.class) {
            return "time";
        }
        if (kind.isEnum()) {
            return Arrays.toString(kind.getEnumConstants());
        }
        if (!kind.isRecord() || kind == CardToken.class) {
            return "string";
        }
        var fields = new ArrayList<String>();
        for (var field : kind.getRecordComponents()) {
            var optional = field.getAccessor().isAnnotationPresent(JsonInclude.class);
            fields.add(field.getName() + (optional ? "?: " : ": ") + shape(field.getGenericType()));
        }
        if (OrderEvent.class.isAssignableFrom(kind)) {
            fields.add(1, "status: " + shape(OrderStatus.class));
        } else if (CustomerEvent.class.isAssignableFrom(kind)) {
            fields.add(1, "status: " + shape(CustomerStatus.class));
        }
        return fields.toString();
    }

    private static String shapeOfAvro(Schema schema) {
        return switch (schema.getType()) {
            case RECORD ->
                schema.getFields().stream()
                        .map(field -> field.schema().isUnion()
                                ? field.name() + "?: " + shapeOfAvro(optional(field))
                                : field.name() + ": " + shapeOfAvro(field.schema()))
                        .toList()
                        .toString();
            case ARRAY -> "[" + shapeOfAvro(schema.getElementType()) + "]";
            case ENUM -> {
                assertThat(schema.getEnumDefault())
                        .as("what an older reader takes a constant for that it does not know")
                        .isEqualTo(schema.getEnumSymbols().getFirst())
                        .isEqualTo("UNKNOWN");
                yield schema.getEnumSymbols()
                        .subList(1, schema.getEnumSymbols().size())
                        .toString();
            }
            case STRING -> schema.getLogicalType() == null ? "string" : "uuid";
            case LONG -> schema.getLogicalType() == null ? "long" : "time";
            default -> schema.getType().getName();
        };
    }

    private static Schema optional(Schema.Field field) {
        assertThat(field.defaultVal())
                .as("%s may be missing, and a union begins with its default", field.name())
                .isEqualTo(JsonProperties.NULL_VALUE);
        assertThat(field.schema().getTypes()).hasSize(2);
        return field.schema().getTypes().getLast();
    }

    private static String shapeOfProtobuf(Descriptor message) {
        return message.getFields().stream()
                .map(field -> field.getJsonName()
                        + (field.toProto().getProto3Optional() ? "?: " : ": ")
                        + (field.isRepeated() ? "[" + shapeOfProtobuf(field) + "]" : shapeOfProtobuf(field)))
                .toList()
                .toString();
    }

    private static String shapeOfProtobuf(FieldDescriptor field) {
        return switch (field.getJavaType()) {
            case MESSAGE ->
                field.getMessageType() == Timestamp.getDescriptor() ? "time" : shapeOfProtobuf(field.getMessageType());
            case ENUM -> shapeOfProtobuf(field.getEnumType());
            default -> field.getJavaType().name().toLowerCase();
        };
    }

    private static String shapeOfProtobuf(EnumDescriptor constants) {
        assertThat(constants.findValueByNumber(0).getName())
                .as("what a constant is that was not written")
                .endsWith("_UNSPECIFIED");
        return constants.getValues().stream()
                .skip(1)
                .map(Object::toString)
                .toList()
                .toString();
    }

    private static String shapeOfJson(JsonNode schema) {
        return shapeOfJson(schema, schema.path("$defs"));
    }

    private static String shapeOfJson(JsonNode schema, JsonNode definitions) {
        if (schema.has("$ref")) {
            var name = schema.path("$ref").textValue().replace("#/$defs/", "");
            return shapeOfJson(definitions.path(name), definitions);
        }
        return switch (schema.path("type").textValue()) {
            case "object" -> {
                var required = new ArrayList<String>();
                schema.path("required").forEach(name -> required.add(name.textValue()));
                yield schema.path("properties").properties().stream()
                        .map(field -> field.getKey()
                                + (required.contains(field.getKey()) ? ": " : "?: ")
                                + shapeOfJson(field.getValue(), definitions))
                        .toList()
                        .toString();
            }
            case "array" -> "[" + shapeOfJson(schema.path("items"), definitions) + "]";
            case "string" -> {
                var constants = new ArrayList<String>();
                schema.path("x-extensible-enum").forEach(constant -> constants.add(constant.textValue()));
                yield constants.isEmpty()
                        ? switch (schema.path("format").asText()) {
                            case "uuid" -> "uuid";
                            case "date-time" -> "time";
                            default -> "string";
                        }
                        : constants.toString();
            }
            default -> schema.path("type").textValue();
        };
    }

    @ParameterizedTest
    @MethodSource("dev.orderly.events.EventCodecTest#events")
    void every_sample_is_valid_by_its_json_schema(Event event) {
        var schema = JsonSchemaFactory.getInstance(VersionFlag.V202012)
                .getSchema(
                        EventCodec.schema(EventFormat.JSON, event.getClass()),
                        SchemaValidatorsConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build());

        assertThat(schema.validate(EventJson.write(event), InputFormat.JSON)).isEmpty();
        assertThat(schema.validate(EventJson.write(event).replace("\"id\":\"0198", "\"id\":\"x"), InputFormat.JSON))
                .isNotEmpty();
    }

    @Test
    void the_names_in_the_schemas_are_those_of_the_subjects() throws IOException {
        for (var type : types().toList()) {
            var topic = Topic.of(type).topicName();
            assertThat(JSON.readTree(EventCodec.schema(EventFormat.JSON, type))
                            .path("title")
                            .textValue())
                    .isEqualTo(EventCodec.subject(EventFormat.JSON, type).substring(topic.length() + 1));
            assertThat(new Schema.Parser()
                            .parse(EventCodec.schema(EventFormat.AVRO, type))
                            .getFullName())
                    .isEqualTo(EventCodec.subject(EventFormat.AVRO, type).substring(topic.length() + 1));
            assertThat(ProtobufEncoding.descriptor(type).getFullName())
                    .isEqualTo(EventCodec.subject(EventFormat.PROTOBUF, type).substring(topic.length() + 1));
        }
        assertThat(types().map(type -> EventCodec.subject(EventFormat.AVRO, type)))
                .contains(
                        "order-service-dev.orderly.avro.OrderPlaced",
                        "customer-service-dev.orderly.avro.CodeRequested");
    }

    @Test
    void a_release_has_a_schema_of_every_type_and_nothing_else() throws IOException {
        var expected = new TreeSet<String>();
        types().map(Class::getSimpleName).forEach(type -> {
            expected.add("json/" + type + ".json");
            expected.add("avro/" + type + ".avsc");
            expected.add("protobuf/" + type + ".proto");
        });
        var release = SCHEMAS.resolve("v" + EventCodec.RELEASE);
        try (var files = Files.walk(release)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> release.relativize(file).toString()))
                    .containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    /** {@code sha256sum -c schemas/released.sha256} says the same. */
    @Test
    void a_released_schema_is_not_changed_but_followed_by_a_newer_one() throws Exception {
        try (var files = Files.walk(SCHEMAS)) {
            var sums = new TreeSet<String>();
            for (var file : files.filter(file ->
                            Files.isRegularFile(file) && !file.getParent().equals(SCHEMAS))
                    .toList()) {
                var sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
                sums.add(HexFormat.of().formatHex(sum) + "  " + SCHEMAS.relativize(file));
            }
            assertThat(Files.readString(SCHEMAS.resolve("released.sha256"), UTF_8)
                            .lines())
                    .as("a change of a schema goes into a new folder; then its sums into released.sha256")
                    .containsExactlyInAnyOrderElementsOf(sums);
        }
    }
}
