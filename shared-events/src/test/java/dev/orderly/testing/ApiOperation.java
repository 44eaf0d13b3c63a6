package dev.orderly.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/**
 * An operation of a service, from its OpenAPI document.
 *
 * @param path with its parameters in braces
 * @param mediaType of the body, or null when it has none
 * @param body a plausible one, or null
 */
record ApiOperation(String method, String path, List<Parameter> parameters, String mediaType, JsonNode body) {

    /** @param in path, query or header */
    record Parameter(String in, String name, String sample) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final int MAX_DEPTH = 8;
    /** In the place of every id. */
    static final String UUID = "0198c6a2-0000-7000-8000-00000000beef";

    /** Where the schema only has a pattern. */
    private static final Map<String, String> SAMPLES = Map.of(
            "sku", "hostile",
            "currency", "EUR",
            "mail", "ann@shop.example",
            "phone", "+4915112345678",
            "code", "123456",
            "cardToken", "tok_ok",
            "customerId", UUID,
            "orderId", UUID,
            "after", "");

    /** All of a service. @param openApi where it has its document, as JSON */
    static List<ApiOperation> of(URI openApi) {
        try (var document = openApi.toURL().openStream()) {
            var api = JSON.readTree(document);
            var operations = new ArrayList<ApiOperation>();
            api.path("paths")
                    .properties()
                    .forEach(path -> path.getValue()
                            .properties()
                            .forEach(operation ->
                                    operations.add(of(api, operation.getKey(), path.getKey(), operation.getValue()))));
            return operations;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ApiOperation of(JsonNode api, String method, String path, JsonNode operation) {
        var parameters = StreamSupport.stream(operation.path("parameters").spliterator(), false)
                .map(parameter -> new Parameter(
                        parameter.path("in").asText(),
                        parameter.path("name").asText(),
                        sample(api, parameter.path("name").asText(), parameter.path("schema"), 0)
                                .asText()))
                .toList();
        var content = operation.path("requestBody").path("content").properties().stream()
                .findFirst();
        return new ApiOperation(
                method.toUpperCase(),
                path,
                parameters,
                content.map(Map.Entry::getKey).orElse(null),
                content.map(type -> sample(api, "body", type.getValue().path("schema"), 0))
                        .orElse(null));
    }

    private static JsonNode sample(JsonNode api, String name, JsonNode reference, int depth) {
        var schema =
                reference.has("$ref") ? api.at(reference.path("$ref").asText().substring(1)) : reference;
        if (SAMPLES.containsKey(name)) {
            return NODES.textNode(SAMPLES.get(name));
        }
        for (var choice : List.of("allOf", "anyOf", "oneOf")) {
            if (schema.has(choice)) {
                return sample(api, name, schema.path(choice).path(0), depth + 1);
            }
        }
        if (schema.has("enum")) {
            return schema.path("enum").path(0);
        }
        // Since OpenAPI 3.1 a type may be a list, with null in it.
        var type = schema.path("type").isArray() ? schema.path("type").path(0) : schema.path("type");
        return switch (type.asText()) {
            case "integer", "number" -> NODES.numberNode(schema.path("minimum").asLong(1));
            case "boolean" -> NODES.booleanNode(true);
            case "array" ->
                depth > MAX_DEPTH
                        ? NODES.arrayNode()
                        : NODES.arrayNode().add(sample(api, name, schema.path("items"), depth + 1));
            case "object" -> {
                var object = NODES.objectNode();
                schema.path("properties")
                        .properties()
                        .forEach(field ->
                                object.set(field.getKey(), sample(api, field.getKey(), field.getValue(), depth + 1)));
                yield object;
            }
            default ->
                NODES.textNode(
                        switch (schema.path("format").asText()) {
                            case "uuid" -> UUID;
                            case "date-time" -> "2026-11-23T10:15:30Z";
                            default -> "hostile";
                        });
        };
    }
}
