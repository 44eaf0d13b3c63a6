package dev.orderly.events;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import dev.orderly.testing.EventSamples;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/reference/asyncapi.yaml and messages.md say what the code, the topics and the schemas are. */
class MessageDocumentsTest {

    private static final Path CHECKOUT = Path.of(System.getProperty("orderly.checkout"));
    private static final Path REFERENCE = CHECKOUT.resolve("docs/reference");
    private static final String SCHEMAS = "../../shared-events/src/main/resources/schemas/v" + EventCodec.RELEASE + "/";
    private static final Pattern EVENT = Pattern.compile("### (\\w+)\n.*?```json\n(.*?)```", Pattern.DOTALL);

    private final JsonNode api = new YAMLMapper().readTree(Files.readString(REFERENCE.resolve("asyncapi.yaml")));
    private final String messages = Files.readString(REFERENCE.resolve("messages.md"));
    private final JsonNode topics = new ObjectMapper()
            .readTree(CHECKOUT.resolve("infra/kafka/topics.json").toFile());

    MessageDocumentsTest() throws IOException {}

    @Test
    void every_reference_of_the_asyncapi_document_leads_somewhere() {
        for (var reference : api.findValuesAsText("$ref")) {
            if (reference.startsWith("#")) {
                assertThat(api.at(reference.substring(1)).isMissingNode())
                        .as(reference)
                        .isFalse();
            } else {
                assertThat(REFERENCE.resolve(reference)).isRegularFile();
            }
        }
    }

    @Test
    void its_channels_are_the_topics_as_they_are_configured() {
        assertThat(names(api.path("channels"))).isEqualTo(topics.findValuesAsText("name"));
        for (var topic : topics) {
            var channel = api.path("channels").path(topic.path("name").textValue());
            var kafka = channel.path("bindings").path("kafka");
            var config = topic.path("config");
            assertThat(channel.path("address")).isEqualTo(topic.path("name"));
            assertThat(kafka.path("partitions")).isEqualTo(topic.path("partitions"));
            kafka.path("topicConfiguration").properties().forEach(setting -> {
                var value = setting.getValue().isArray() ? setting.getValue().path(0) : setting.getValue();
                assertThat(value.asText())
                        .as(setting.getKey())
                        .isEqualTo(config.path(setting.getKey()).asText());
            });
        }
    }

    private static List<String> names(JsonNode node) {
        var names = new ArrayList<String>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    @Test
    void its_messages_are_all_events_in_all_formats_by_their_schemas() {
        for (var topic : Topic.values()) {
            var expected = new ArrayList<String>();
            for (var type : types(topic)) {
                if (type == CustomerEvent.CustomerErased.class) {
                    expected.add(type.getSimpleName());
                    continue;
                }
                for (var format : EventFormat.values()) {
                    var name = message(type, format);
                    expected.add(name);
                    assertThat(api.path("channels")
                                    .path(topic.topicName())
                                    .path("messages")
                                    .path(name)
                                    .path("$ref")
                                    .textValue())
                            .isEqualTo("#/components/messages/" + name);
                    var message = api.path("components").path("messages").path(name);
                    assertThat(message.path("name").textValue()).isEqualTo(type.getSimpleName());
                    assertThat(message.path("contentType").textValue()).isEqualTo(format.contentType());
                    assertThat(message.findValuesAsText("$ref").getLast())
                            .startsWith(SCHEMAS + format.name().toLowerCase(Locale.ROOT) + "/" + type.getSimpleName());
                }
            }
            assertThat(names(api.path("channels").path(topic.topicName()).path("messages")))
                    .containsExactlyInAnyOrderElementsOf(expected);
        }
    }

    private static List<Class<? extends Event>> types(Topic topic) {
        return Stream.concat(EventSamples.ORDER_EVENTS.stream(), EventSamples.CUSTOMER_EVENTS.stream())
                .filter(event -> event.topic() == topic)
                .<Class<? extends Event>>map(Event::getClass)
                .toList();
    }

    private static String message(Class<? extends Event> type, EventFormat format) {
        var name = type.getSimpleName();
        return format == EventFormat.JSON ? name : name + "-" + format.name().toLowerCase(Locale.ROOT);
    }

    @Test
    void its_headers_are_those_of_the_code_and_both_documents_have_them() throws IllegalAccessException {
        var headers = new ArrayList<String>();
        for (var field : EventHeaders.class.getFields()) {
            assertThat(Modifier.isStatic(field.getModifiers())).isTrue();
            headers.add((String) field.get(null));
        }

        var schemas = api.path("components").path("schemas");
        assertThat(names(schemas.path("EventHeaders").path("properties"))).containsExactlyInAnyOrderElementsOf(headers);
        assertThat(firstColumn("## Headers")).containsExactlyInAnyOrderElementsOf(headers);
    }

    private List<String> firstColumn(String heading) {
        return messages.substring(messages.indexOf(heading + "\n"))
                .lines()
                .dropWhile(line -> !line.startsWith("|---"))
                .skip(1)
                .takeWhile(line -> line.startsWith("|"))
                .map(line -> line.split("\\|")[1].strip().replace("`", ""))
                .toList();
    }

    @Test
    void a_service_sends_what_it_publishes_and_a_group_receives_what_it_reacts_to() {
        for (var source : List.of("order-service", "inventory-service", "payment-service")) {
            var sent = api.path("operations").path(source + ".publishes.order-service");
            assertThat(types(sent))
                    .containsExactlyInAnyOrderElementsOf(Publishers.typesOf(source).stream()
                            .map(Class::getSimpleName)
                            .toList());
        }
        var reactions = messages.lines()
                .filter(line -> line.matches("\\| `[a-z-]+-group` .*`(order|customer)-service` .*"))
                .map(line -> line.split("\\|"))
                .collect(toMap(row -> row[1].strip().replace("`", ""), row -> row[4].strip()));
        var documented = new TreeMap<String, String>();
        api.path("operations").properties().stream()
                .filter(operation ->
                        operation.getValue().path("action").asText().equals("receive"))
                .forEach(operation -> {
                    var types = types(operation.getValue());
                    var reacts = types.size() == OrderEvent.class.getPermittedSubclasses().length
                            ? "all nine"
                            : types.contains("CustomerErased") ? "all four" : String.join(", ", types);
                    documented.put(operation.getKey(), reacts);
                });
        assertThat(documented).isEqualTo(new TreeMap<>(reactions));
    }

    private static List<String> types(JsonNode operation) {
        return operation.findValuesAsText("$ref").stream()
                .filter(reference -> reference.contains("/messages/"))
                .map(reference -> reference.replaceAll(".*/|-.*", ""))
                .distinct()
                .toList();
    }

    @Test
    void the_topics_of_messages_md_are_those_that_are_made() {
        assertThat(firstColumn("## Topics").stream().flatMap(row -> Stream.of(row.split(", "))))
                .containsExactlyInAnyOrderElementsOf(topics.findValuesAsText("name"));
    }

    @ParameterizedTest
    @MethodSource("dev.orderly.events.EventSchemasTest#types")
    void the_example_of_an_event_is_one_and_valid_by_its_schema(Class<? extends Event> type) throws IOException {
        var json = EVENT.matcher(messages)
                .results()
                .filter(example -> example.group(1).equals(type.getSimpleName()))
                .map(example -> example.group(2))
                .findFirst()
                .orElseThrow();
        var schema =
                JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(EventCodec.schema(EventFormat.JSON, type));

        assertThat(schema.validate(json, InputFormat.JSON)).isEmpty();
        assertThat(new ObjectMapper().readTree(EventJson.write(EventJson.read(type, json.getBytes(UTF_8)))))
                .as("nothing is in the example that the event does not have")
                .isEqualTo(new ObjectMapper().readTree(json));
    }

    @Test
    void the_sizes_in_messages_md_are_those_of_the_samples() {
        var table = Stream.concat(EventSamples.ORDER_EVENTS.stream(), EventSamples.CUSTOMER_EVENTS.stream())
                .filter(event -> !event.erasesKey())
                .map(event -> Arrays.stream(EventFormat.values())
                        .map(format -> String.valueOf(EventCodec.write(format, event, 1).length))
                        .collect(joining(" | ", "| " + event.getClass().getSimpleName() + " | ", " |\n")))
                .collect(joining());

        assertThat(messages).contains(table);
    }
}
