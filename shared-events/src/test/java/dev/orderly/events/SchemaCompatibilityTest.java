package dev.orderly.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.orderly.events.OrderEvent.OrderPlaced;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The registry that Orderly runs with judges the schemas: each release must be compatible with all before it,
 * in both directions. It keeps them in memory here. {@code .ci/run} unpacks it; without it the test is skipped.
 */
@Tag("processes")
@TestInstance(Lifecycle.PER_CLASS)
class SchemaCompatibilityTest {

    private static final Path REGISTRY =
            Path.of(System.getProperty("orderly.checkout"), "infra/registry/target/apicurio/quarkus-run.jar");
    private static final Duration MAX_START = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private URI registry;
    private Process process;

    @BeforeAll
    void start() throws IOException, InterruptedException {
        assumeThat(Files.exists(REGISTRY))
                .as("the registry is not here: ./mvnw -f infra/registry/pom.xml process-resources")
                .isTrue();
        var port = freePort();
        registry = URI.create("http://127.0.0.1:" + port + "/apis/ccompat/v7/");
        var java = Path.of(System.getProperty("java.home"), "bin/java").toString();
        var builder = new ProcessBuilder(java, "-Xmx256m", "-XX:+UseSerialGC", "-jar", REGISTRY.toString())
                .redirectErrorStream(true)
                .redirectOutput(Path.of("target/registry.log").toFile());
        builder.environment().put("QUARKUS_HTTP_HOST", "127.0.0.1");
        builder.environment().put("QUARKUS_HTTP_PORT", String.valueOf(port));
        builder.environment().put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
        builder.environment().put("QUARKUS_MANAGEMENT_PORT", "0");
        process = builder.start();
        await().atMost(MAX_START).ignoreExceptions().until(() -> {
            assertThat(process.isAlive()).isTrue();
            return ask("PUT", "config", JSON.createObjectNode().put("compatibility", "FULL_TRANSITIVE"))
                    .has("compatibility");
        });
        registerReleases();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @AfterAll
    void stop() throws InterruptedException {
        if (process != null) {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    private JsonNode ask(String method, String path, JsonNode body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(registry.resolve(path))
                .method(method, BodyPublishers.ofString(body.toString()))
                .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                .timeout(Duration.ofSeconds(30))
                .build();
        return JSON.readTree(http.send(request, BodyHandlers.ofString()).body());
    }

    private static JsonNode schema(EventFormat format, String text) {
        return JSON.createObjectNode().put("schemaType", format.name()).put("schema", text);
    }

    /** The registry refuses what is not compatible with all that it has of the subject. */
    private void registerReleases() throws IOException, InterruptedException {
        for (var type : EventSchemasTest.types().toList()) {
            for (var format : EventFormat.values()) {
                for (var release = 1; release <= EventCodec.RELEASE; release++) {
                    var subject = EventCodec.subject(format, type);
                    var answer = ask(
                            "POST",
                            "subjects/" + subject + "/versions",
                            schema(format, EventCodec.schema(format, type, release)));
                    assertThat(answer.has("id"))
                            .as("v%d of %s: %s", release, subject, answer)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void every_schema_is_found_by_its_subject() throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(registry.resolve("subjects")).build();

        assertThat(http.send(request, BodyHandlers.ofString()).body())
                .contains(EventSchemasTest.types()
                        .flatMap(type -> List.of(EventFormat.values()).stream()
                                .map(format -> '"' + EventCodec.subject(format, type) + '"'))
                        .toList());
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "->", textBlock = """
            AVRO     -> quantity -> "type": "int"                          -> "type": "string"
            AVRO     -> amount   -> "name": "amount"                       -> "name": "cents"
            AVRO     -> channel  -> "fields": [                            -> "fields": [{"name": "channel", "type": "string"},
            PROTOBUF -> quantity -> int32 quantity                         -> string quantity
            PROTOBUF -> total    -> Money total = 5;                       -> ''
            PROTOBUF -> total    -> Money total = 5;                       -> Money total = 15;
            JSON     -> amount   -> "type": "integer",                     -> "type": "string",
            JSON     -> total    -> "total", "paymentMethod",              -> "paymentMethod",
            JSON     -> cardId   -> ["id", "status",                       -> ["cardId", "id", "status",
            """)
    void a_change_that_breaks_readers_or_writers_is_refused_and_the_field_named(
            EventFormat format, String field, String released, String changed)
            throws IOException, InterruptedException {
        var answer = judge(format, released, changed);

        assertThat(answer.path("is_compatible").asBoolean(true))
                .as(answer.toString())
                .isFalse();
        assertThat(answer.path("messages").toString()).contains(field);
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "->", textBlock = """
            AVRO     -> "fields": [    -> "fields": [{"name": "channel", "type": ["null", "string"], "default": null},
            AVRO     -> "REFUNDED"     -> "REFUNDED", "SHIPPED"
            PROTOBUF -> Money total = 5; -> Money total = 5; optional string channel = 10;
            PROTOBUF -> REFUNDED = 9;  -> REFUNDED = 9; SHIPPED = 10;
            PROTOBUF -> optional string card_token = 8; -> reserved 8; reserved "card_token";
            JSON     -> "properties": { -> "properties": {"channel": {"type": "string"},
            JSON     -> "REFUNDED"     -> "REFUNDED", "SHIPPED"
            """)
    void a_change_that_breaks_neither_is_taken(EventFormat format, String released, String changed)
            throws IOException, InterruptedException {
        var answer = judge(format, released, changed);

        assertThat(answer.path("is_compatible").asBoolean(false))
                .as(answer.toString())
                .isTrue();
    }

    private JsonNode judge(EventFormat format, String released, String changed)
            throws IOException, InterruptedException {
        var text = EventCodec.schema(format, OrderPlaced.class);
        assertThat(text).contains(released);
        var path = "compatibility/subjects/%s/versions/latest?verbose=true"
                .formatted(EventCodec.subject(format, OrderPlaced.class));
        return ask(
                "POST",
                path,
                schema(format, text.replaceFirst(Pattern.quote(released), Matcher.quoteReplacement(changed))));
    }
}
