package dev.orderly.clientlog;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import dev.orderly.notification.IntegrationTest;
import dev.orderly.testing.HostileRequests;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RecordGenerator;
import dev.orderly.testing.RecordGenerator.Part;
import dev.orderly.testing.Tokens;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class ClientLogTest extends IntegrationTest {

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @TestHTTPResource("/")
    URI service;

    /** The topic does not have it, so that no other consumer writes its rows. */
    private static final int UNUSED_PARTITION = 77;

    @Inject
    LogWriter writer;

    @TestHTTPResource("/logs")
    URI logs;

    private final String client = "client-" + UUID.randomUUID();

    @BeforeEach
    void awaitTheProducersMetadata() {
        await().until(() -> post(line("hello")).statusCode() == 202);
    }

    @Test
    void lines_are_stored_unchanged_with_the_partition_of_their_record() throws SQLException {
        post(line("one") + "\n\n" + line("tab\\tquote\\\" back\\\\slash\\nline ü 😀") + "\r\n")
                .then()
                .statusCode(202)
                .body("accepted", equalTo(2))
                .body("rejected", equalTo(0))
                .body("errors", hasSize(0));

        await().until(() -> stored().size() == 3);
        assertThat(stored()).containsExactly("hello", "one", "tab\tquote\" back\\slash\nline ü 😀");
        assertThat(sql().strings("""
                                SELECT concat_ws(' ', level, at = '2026-11-23T10:15:30.123Z',
                                        received_at > now() - interval '1 min')
                                FROM client_log WHERE client_id = ? AND message = 'one'
                                """, client)).containsExactly("WARN t t");
        assertThat(sql().strings("SELECT DISTINCT partition::text FROM client_log WHERE client_id = ?", client))
                .hasSize(1);
    }

    @Test
    void invalid_lines_of_a_batch_are_reported_and_the_others_stored() throws SQLException {
        post(line("good") + "\n{\n" + line("x").replace("WARN", "LOUD") + "\n" + line("also good"))
                .then()
                .statusCode(202)
                .body("accepted", equalTo(2))
                .body("rejected", equalTo(2))
                .body("errors.line", equalTo(List.of(2, 3)))
                .body("errors[0].reason", equalTo("is not valid JSON"))
                .body("errors[1].reason", equalTo("level does not have the form that is expected"));

        await().until(() -> stored().size() == 3);
        assertThat(stored()).containsExactly("hello", "good", "also good");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    null                      | is no object
                    []                        | does not have the form that is expected
                    17                        | does not have the form that is expected
                    {"clientId":"c"           | is not valid JSON
                    {}{}                      | does not have the form that is expected
                    "message":"m","x":1       | x is not known here
                    "message":"m","message":"n" | is not valid JSON
                    "message":null            | message is required
                    "message":""              | message must be 1 to 4096 characters
                    "message":"\\u0000"       | message must be 1 to 4096 characters
                    "message":"\\ud800"       | message must be 1 to 4096 characters
                    "clientId":""             | clientId must be
                    "clientId":"a b"          | clientId must be
                    "at":"yesterday"          | at does not have the form that is expected
                    "at":"+9999999-01-01T00:00:00Z" | at must be between
                    "at":1e400                | at
                    "level":"FATAL"           | level does not have the form that is expected
                    """)
    void an_invalid_line_is_rejected_with_a_reason(String invalid, String reason) throws SQLException {
        var line = line("m");
        if (invalid.startsWith("\"")) {
            var field = invalid.substring(0, invalid.indexOf(':'));
            line = line.replaceAll(field + ":\"[^\"]*\"", Matcher.quoteReplacement(invalid));
        } else {
            line = invalid;
        }

        assertProblem(post(line).then(), 400)
                .body("errors[0].line", equalTo(1))
                .body("errors[0].reason", containsString(reason));
        assertThat(stored()).isSubsetOf("hello");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u00c3", "\u0080", "\u00c0\u00af", "\u00ed\u00a0\u0080", "\u00f8\u0088\u0080\u0080\u0080"})
    void a_line_that_is_not_utf_8_is_rejected_and_the_one_beside_it_is_kept(String bytes) throws SQLException {
        var batch = (line("bad " + bytes) + "\n" + line("good")).getBytes(ISO_8859_1);

        post(batch)
                .then()
                .statusCode(202)
                .body("accepted", equalTo(1))
                .body("errors[0].line", equalTo(1))
                .body("errors[0].reason", equalTo("is not UTF-8"));
        await().untilAsserted(() -> assertThat(stored()).containsExactly("hello", "good"));
    }

    @Test
    void a_batch_in_utf_16_is_rejected_and_a_byte_order_mark_of_utf_8_is_not_part_of_a_line() throws SQLException {
        assertProblem(post(line("m").getBytes(UTF_16)).then(), 400);
        assertProblem(post(line("m").getBytes(UTF_16LE)).then(), 400);
        post("\uFEFF" + line("marked")).then().statusCode(202).body("accepted", equalTo(1));

        await().untilAsserted(() -> assertThat(stored()).containsExactly("hello", "marked"));
    }

    @Test
    void an_oversized_line_is_rejected() {
        post(line("m".repeat(9_000)))
                .then()
                .statusCode(400)
                .body("errors[0].reason", equalTo("is longer than 8192 bytes"));
    }

    @Test
    void an_empty_batch_is_rejected() {
        assertProblem(post("").then(), 400);
        assertProblem(post("\n \r\n").then(), 400);
    }

    @Test
    void a_batch_has_a_maximum_of_bytes_lines_and_errors() {
        assertProblem(post(" ".repeat(1024 * 1024 + 1)).then(), 413);
        assertProblem(post("{}\n".repeat(10_001)).then(), 413);
        post("{}\n".repeat(10_000)).then().statusCode(400).body("errors", hasSize(1_000));
    }

    @Test
    void other_content_types_and_encodings_are_rejected() {
        var line = line("m").getBytes(UTF_8);

        assertProblem(send("application/json", Map.of(), line).then(), 415);
        assertProblem(
                send(LogResource.NDJSON, Map.of("Content-Encoding", "gzip"), line)
                        .then(),
                415);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/logs", "/logs/", "//logs", "/x/../logs", "/%6Cogs", "/logs;a=b", "/logs%2F;a=b"})
    void a_batch_of_unknown_length_is_rejected_on_every_spelling_of_the_path(String path) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            var chunked = HttpRequest.newBuilder(URI.create("http://" + logs.getAuthority() + path))
                    .header("Content-Type", LogResource.NDJSON)
                    .POST(BodyPublishers.ofInputStream(
                            () -> new ByteArrayInputStream(line("m").getBytes(UTF_8))))
                    .build();

            assertThat(http.send(chunked, BodyHandlers.ofString()).statusCode()).isEqualTo(411);
        }
    }

    @Test
    void requests_beyond_the_bytes_in_flight_are_rejected_with_retry_after() throws Exception {
        var batch = (line("m".repeat(4_000)) + "\n").repeat(240); // of nearly a megabyte
        try (var senders = Executors.newVirtualThreadPerTaskExecutor()) {
            var rejected = new ArrayList<Response>();
            await().until(() -> {
                var answers = new ArrayList<Future<Response>>();
                for (var i = 0; i < 8; i++) {
                    answers.add(senders.submit(() -> post(batch)));
                }
                for (var answer : answers) {
                    if (answer.get().statusCode() == 429) {
                        rejected.add(answer.get());
                    }
                }
                return !rejected.isEmpty();
            });

            assertProblem(rejected.getFirst().then(), 429).header("Retry-After", "1");
        }
        await().until(() -> post(line("m")).statusCode() == 202);
    }

    @Test
    void batches_that_do_not_arrive_keep_out_no_others() throws IOException {
        var slow = new ArrayList<Socket>();
        try {
            for (var i = 0; i < 20; i++) {
                var socket = new Socket(logs.getHost(), logs.getPort());
                slow.add(socket);
                socket.getOutputStream()
                        .write(("POST /logs HTTP/1.1\r\nHost: logs\r\nContent-Type: application/x-ndjson\r\n"
                                        + Tokens.headerOfAllRoles(client)
                                        + "Content-Length: 1048576\r\n\r\n{")
                                .getBytes(ISO_8859_1));
            }

            post(line("m")).then().statusCode(202);
        } finally {
            for (var socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void a_redelivered_record_is_stored_once() throws SQLException {
        var first = records(UNUSED_PARTITION, 0, "a", "b");
        var overlapping = records(UNUSED_PARTITION, 1, "b", "c");

        writer.receive(first);
        writer.receive(first);
        writer.receive(overlapping);

        await().until(() -> stored().size() == 4);
        assertThat(sql().strings("""
                                SELECT message FROM client_log WHERE client_id = ? AND partition = ?
                                ORDER BY "offset"
                                """, client, UNUSED_PARTITION)).containsExactly("a", "b", "c");
        sql().execute("UPDATE client_log_progress SET next_offset = 0 WHERE partition = ?", UNUSED_PARTITION);
    }

    @Test
    void other_records_at_the_offsets_of_stored_ones_are_stored_too() throws SQLException {
        var partition = UNUSED_PARTITION + 2;
        var afterTheTopicLostItsEnd = records(partition, 1, "b", "x", "y");

        writer.receive(records(partition, 0, "a", "b", "c", "d", "e"));
        writer.receive(afterTheTopicLostItsEnd);
        assertThat(nextOffset(partition)).isEqualTo(5);
        writer.receive(afterTheTopicLostItsEnd);
        writer.receive(records(partition, 4, "z"));

        assertThat(sql().strings("""
                                SELECT message FROM client_log WHERE client_id = ? AND partition = ?
                                ORDER BY message
                                """, client, partition)).containsExactly("a", "b", "c", "d", "e", "x", "y", "z");
        assertThat(nextOffset(partition)).isEqualTo(5);
        sql().execute("UPDATE client_log_progress SET next_offset = 0 WHERE partition = ?", partition);
    }

    private long nextOffset(int partition) throws SQLException {
        return sql().number("SELECT next_offset FROM client_log_progress WHERE partition = ?", partition);
    }

    @Test
    void an_invalid_record_on_the_topic_is_skipped() {
        try (var producer =
                new KafkaProducer<>(OrderTopic.cluster(), new StringSerializer(), new ByteArraySerializer())) {
            for (var value : new String[] {null, "", "{", "[]", line("\\u0000")}) {
                producer.send(new ProducerRecord<>("client-log", client, value == null ? null : value.getBytes(UTF_8)));
            }
        }
        post(line("after them")).then().statusCode(202);

        await().untilAsserted(() -> assertThat(stored()).containsExactly("hello", "after them"));
    }

    @Test
    void whatever_is_on_the_topic_the_valid_lines_among_it_are_stored_once() throws SQLException {
        var partition = new TopicPartition("client-log", UNUSED_PARTITION + 1);
        var lines = new ArrayList<String>();
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        for (var recipe : new RecordGenerator(1).batch(300)) {
            var message = "line " + records.size();
            var valid = new ProducerRecord<>(
                    partition.topic(), client, line(message).getBytes(UTF_8));
            records.add(RecordGenerator.make(recipe, valid, partition, records.size()));
            if (!recipe.changes(Part.VALUE)) {
                lines.add(message);
            }
        }

        writer.receive(new ConsumerRecords<>(Map.of(partition, records), Map.of()));
        writer.receive(new ConsumerRecords<>(Map.of(partition, records), Map.of()));

        assertThat(sql().strings("""
                                SELECT message FROM client_log WHERE client_id = ? AND partition = ?
                                ORDER BY "offset"
                                """, client, UNUSED_PARTITION + 1)).isEqualTo(lines);
        sql().execute("UPDATE client_log_progress SET next_offset = 0 WHERE partition = ?", UNUSED_PARTITION + 1);
    }

    private ConsumerRecords<String, byte[]> records(int number, long offset, String... messages) {
        var partition = new TopicPartition("client-log", number);
        var records = IntStream.range(0, messages.length)
                .mapToObj(i -> new ConsumerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        offset + i,
                        client,
                        line(messages[i]).getBytes(UTF_8)))
                .toList();
        return new ConsumerRecords<>(Map.of(partition, records), Map.of());
    }

    private String line(String message) {
        return "{\"clientId\":\"%s\",\"at\":\"2026-11-23T10:15:30.123Z\",\"level\":\"WARN\",\"message\":\"%s\"}"
                .formatted(client, message);
    }

    private static Response post(String batch) {
        return post(batch.getBytes(UTF_8));
    }

    private static Response post(byte[] batch) {
        return send(LogResource.NDJSON, Map.of(), batch);
    }

    private static Response send(String type, Map<String, String> headers, byte[] body) {
        return given().config(RestAssuredConfig.config()
                        .encoderConfig(EncoderConfig.encoderConfig()
                                .appendDefaultContentCharsetToContentTypeIfUndefined(false)
                                .encodeContentTypeAs(LogResource.NDJSON, io.restassured.http.ContentType.BINARY)))
                .contentType(type)
                .headers(headers)
                .body(body)
                .post(LogReceiver.PATH);
    }

    private List<String> stored() throws SQLException {
        return sql().strings(
                        "SELECT message FROM client_log WHERE client_id = ? ORDER BY partition, \"offset\"", client);
    }

    @Test
    void no_request_makes_the_service_fail_or_does_half_of_what_it_asked_for() throws SQLException {
        HostileRequests.assertAllAreHandled(service, openApi, sql());
    }
}
