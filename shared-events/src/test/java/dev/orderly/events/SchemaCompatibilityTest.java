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
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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
 * The registry that Orderly runs with judges the schemas: each release must be compatible with all before
 * it, in both directions. It keeps them in memory here. {@code .ci/run} unpacks it; without it the test is
 * skipped.
 */
@Tag("processes")
@TestInstance(Lifecycle.PER_CLASS)
class SchemaCompatibilityTest {

    private static final Path REGISTRY =
            Path.of(System.getProperty("orderly.checkout"), "infra/registry/target/apicurio/quarkus-run.jar");
    private static final String CONFLUENT = "ccompat/v7/";
    /**
     * What this registry calls compatible in both directions, without what only looks incompatible to it. In
     * Protobuf it takes a new field, read backwards, for one that was removed; but a reader skips numbers
     * that it does not know. In JSON it takes a new field for one that older values may have had with another
     * type; but writers are exact. Which fields are mandatory is the same in all formats, see
     * EventSchemasTest, so Avro says it for all.
     */
    private static final Map<EventFormat, String> RULES = Map.of(
            EventFormat.AVRO, "FULL_TRANSITIVE",
            EventFormat.PROTOBUF, "BACKWARD_TRANSITIVE",
            EventFormat.JSON, "FORWARD_TRANSITIVE");

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
        registry = URI.create("http://127.0.0.1:" + port + "/apis/");
        var java = Path.of(System.getProperty("java.home"), "bin/java").toString();
        var builder = new ProcessBuilder(java, "-Xmx256m", "-XX:+UseSerialGC", "-jar", REGISTRY.toString())
                .redirectErrorStream(true)
                .redirectOutput(Path.of("target/registry.log").toFile());
        // Its other one knows no JSON Schema later than draft 7.
        builder.environment().put("APICURIO_COMPAT_JSON_SCHEMA_USE_APITOMY", "true");
        builder.environment().put("QUARKUS_HTTP_HOST", "127.0.0.1");
        builder.environment().put("QUARKUS_HTTP_PORT", String.valueOf(port));
        builder.environment().put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
        builder.environment().put("QUARKUS_MANAGEMENT_PORT", "0");
        process = builder.start();
        await().atMost(MAX_START).ignoreExceptions().until(() -> {
            assertThat(process.isAlive()).isTrue();
            return ask("PUT", CONFLUENT + "config", rule("FULL_TRANSITIVE")).statusCode() == 200;
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

    private HttpResponse<String> ask(String method, String path, JsonNode body)
            throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(registry.resolve(path))
                .method(method, BodyPublishers.ofString(body.toString()))
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(30))
                .build();
        return http.send(request, BodyHandlers.ofString());
    }

    private static JsonNode rule(String level) {
        return JSON.createObjectNode().put("compatibility", level);
    }

    /** The registry refuses what is not compatible with all that it has of the subject. */
    private void registerReleases() throws IOException, InterruptedException {
        for (var type : EventSchemasTest.types().toList()) {
            for (var format : EventFormat.values()) {
                var subject = EventCodec.subject(format, type);
                for (var release = 1; release <= EventCodec.RELEASE; release++) {
                    var schema = JSON.createObjectNode()
                            .put("schemaType", format.name())
                            .put("schema", EventCodec.schema(format, type, release));
                    var answer = ask("POST", CONFLUENT + "subjects/" + subject + "/versions", schema);
                    assertThat(answer.statusCode())
                            .as("v%d of %s: %s", release, subject, answer.body())
                            .isEqualTo(200);
                    ask("PUT", CONFLUENT + "config/" + subject, rule(RULES.get(format)));
                }
            }
        }
    }

    @Test
    void every_schema_is_found_by_its_subject() throws IOException, InterruptedException {
        var request =
                HttpRequest.newBuilder(registry.resolve(CONFLUENT + "subjects")).build();

        assertThat(http.send(request, BodyHandlers.ofString()).body())
                .contains(EventSchemasTest.types()
                        .flatMap(type -> List.of(EventFormat.values()).stream()
                                .map(format -> '"' + EventCodec.subject(format, type) + '"'))
                        .toList());
    }

    @ParameterizedTest
    @CsvSource(delimiterString = "->", textBlock = """
            AVRO     -> amount  -> "name": "amount" -> "name": "cents"
            AVRO     -> channel -> "fields": [ -> "fields": [{"name": "channel", "type": "string"},
            AVRO     -> INT     -> "type": "int" -> "type": "string"
            PROTOBUF -> total   -> Money total = 5; -> ''
            PROTOBUF -> total   -> Money total = 5; -> Money total = 15;
            PROTOBUF -> total   -> Money total = 5; -> Money sum = 5;
            PROTOBUF -> Line    -> int32 quantity -> string quantity
            JSON     -> /total  -> "type": "integer", -> "type": "string",
            """)
    void a_change_that_breaks_readers_or_writers_is_refused_and_the_field_named(
            EventFormat format, String named, String released, String changed)
            throws IOException, InterruptedException {
        var answer = judge(format, released, changed);

        assertThat(answer.statusCode()).as(answer.body()).isBetween(400, 499);
        assertThat(answer.body()).contains(named);
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

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }

    /** By the registry's own interface, which says why. */
    private HttpResponse<String> judge(EventFormat format, String released, String changed)
            throws IOException, InterruptedException {
        var text = EventCodec.schema(format, OrderPlaced.class);
        assertThat(text).contains(released);
        var content = JSON.createObjectNode()
                .put("content", text.replaceFirst(Pattern.quote(released), Matcher.quoteReplacement(changed)))
                .put("contentType", format == EventFormat.PROTOBUF ? format.contentType() : "application/json");
        var path = "registry/v3/groups/default/artifacts/" + EventCodec.subject(format, OrderPlaced.class);
        return ask(
                "POST", path + "/versions?dryRun=true", JSON.createObjectNode().set("content", content));
    }
}
