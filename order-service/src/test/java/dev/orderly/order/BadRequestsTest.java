package dev.orderly.order;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The catalogue of bad requests, R01 to R50, as far as {@code POST /orders} can be meant: each is refused by a problem that names
 * what is wrong and tells nothing of our insides, and leaves no row behind. What is in order though it may look odd is at the
 * end: it is done as it says. Elsewhere:
 *
 * <ul>
 *   <li>R17 R18 R37: an order has no amounts; AccountResourceTest of payment-service. Refunds cannot be asked for.
 *   <li>R24 R25 R26 R36: keys used twice, in parallel and by others, and cancellations twice: {@link OrderResourceTest}. R27: keys
 *       are never forgotten.
 *   <li>R34: GET /orders has the only parameters; OrderViewResourceTest, as has R50.
 *   <li>R35 R38: there are no dates to send but those of a flash sale (FlashSaleTest), and nobody logs in yet.
 *   <li>R45: what an order says is never shown as anything but JSON, with nosniff; names are CustomerResourceTest's.
 *   <li>R48 R49: ConcurrencyLimiterTest; StockKeeperTest of inventory-service, and {@code ./orderly scenario flash-sale}.
 * </ul>
 */
@QuarkusTest
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
class BadRequestsTest {

    private static final String CUSTOMER = UUID.randomUUID().toString();
    private static final String GOOD = order("\"mug\"", "1");
    private static final int MOST_BODY = 64 * 1024;

    @Inject
    DataSource database;

    @TestHTTPResource("/orders")
    URI orders;

    @BeforeEach
    void catalogue() {
        offer("mug", 1999);
        offer("dear", Long.MAX_VALUE);
    }

    /** @param field that the problem must name; null when it is the whole that is wrong */
    private record Bad(String name, int status, String field, byte[] body, Map<String, String> headers) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Bad bad(String name, int status, String field, byte[] body) {
        return new Bad(name, status, field, body, Map.of());
    }

    private static Bad body(String name, String body) {
        return bad(name, 400, null, body.getBytes(UTF_8));
    }

    private static Bad field(String name, String field, String body) {
        return bad(name, 400, field, body.getBytes(UTF_8));
    }

    private static Bad quantity(String name, String json) {
        return field(name, "lines[0].quantity", order("\"mug\"", json));
    }

    private static Bad sku(String name, String json) {
        return field(name, "lines[0].sku", order(json, "1"));
    }

    private static Bad header(String name, int status, String field, String header, String value) {
        return new Bad(name, status, field, GOOD.getBytes(UTF_8), Map.of(header, value));
    }

    private static String order(String sku, String quantity) {
        return "{\"customerId\":\"%s\",\"lines\":[{\"sku\":%s,\"quantity\":%s}],\"paymentMethod\":\"BALANCE\"}"
                .formatted(CUSTOMER, sku, quantity);
    }

    private static String lines(String lines) {
        return GOOD.replaceFirst("\\[.*]", lines);
    }

    private static byte[] withByte(int wrong) {
        var body = order("\"m?g\"", "1").getBytes(ISO_8859_1);
        body[new String(body, ISO_8859_1).indexOf('?')] = (byte) wrong;
        return body;
    }

    static List<Bad> catalogueOfBadRequests() {
        return List.of(
                field("R01 empty", "body", ""),
                field("R02 null", "body", "null"),
                body("R03 an array", "[]"),
                body("R03 a string", "\"x\""),
                body("R03 a number", "1"),
                body("R04 cut off", GOOD.substring(0, GOOD.length() - 1)),
                body("R05 two bodies", GOOD + "{}"),
                body("R06 a key twice", GOOD.replace("\"quantity\":1", "\"quantity\":1,\"quantity\":2")),
                field("R07 an unknown field", "note", GOOD.replace("{\"customerId", "{\"note\":1,\"customerId")),
                field(
                        "R07 an unknown field of a line",
                        "lines[0].colour",
                        GOOD.replace("\"quantity\":1", "\"quantity\":1,\"colour\":\"red\"")),
                bad("R08 bytes that are no UTF-8", 400, null, withByte(0xC3)),
                bad("R08 a byte of Latin-1", 400, null, withByte(0xFC)),
                sku("R09 NUL", "\"m\\u0000g\""),
                sku("R10 half a character", "\"m\\ud800g\""),
                bad("R11 64 KB and a byte", 413, null, (GOOD + " ".repeat(MOST_BODY)).getBytes(UTF_8)),
                bad("R11 10 MB", 413, null, (GOOD + " ".repeat(10 * 1024 * 1024)).getBytes(UTF_8)),
                body("R12 ten thousand deep", lines("[".repeat(10_000))),
                sku("R13 a long string", "\"" + "m".repeat(60_000) + "\""),
                body("R14 ten thousand digits", order("\"mug\"", "9".repeat(10_000))),
                quantity("R14 1e400", "1e400"),
                quantity("R14 1e-400", "1e-400"),
                body("R14 NaN", order("\"mug\"", "NaN")),
                body("R14 Infinity", order("\"mug\"", "Infinity")),
                quantity("R14 -0", "-0"),
                quantity("R15 0", "0"),
                quantity("R15 -1", "-1"),
                quantity("R15 more than an int", "2147483648"),
                quantity("R15 more than a long", "9223372036854775808"),
                quantity("R15 1.5", "1.5"),
                quantity("R15 a string", "\"1\""),
                quantity("R15 true", "true"),
                quantity("R15 null", "null"),
                quantity("R15 more than we sell", "1000001"),
                field(
                        "R16 a price",
                        "lines[0].unitPrice",
                        GOOD.replace("\"quantity\"", "\"unitPrice\":1,\"quantity\"")),
                field("R16 a total", "total", GOOD.replace("{\"customerId", "{\"total\":1,\"customerId")),
                field("R19 no lines", "lines", lines("[]")),
                field("R19 lines that are null", "lines", lines("null")),
                field(
                        "R19 101 lines",
                        "lines",
                        lines(Collections.nCopies(101, "{\"sku\":\"mug\",\"quantity\":1}")
                                .toString())),
                sku("R20 empty", "\"\""),
                sku("R20 10 KB", "\"" + "m".repeat(10_240) + "\""),
                sku("R20 a path", "\"../mug\""),
                sku("R20 SQL", "\"'; DROP TABLE orders; --\""),
                sku("R20 %00", "\"mug%00\""),
                sku("R20 right to left", "\"\\u202emug\""),
                sku("R20 zero width", "\"m\\u200bug\""),
                sku("R20 a Greek letter", "\"m\\u03c5g\""),
                bad(
                        "R21 more than a long can hold",
                        422,
                        null,
                        order("\"dear\"", "2").getBytes(UTF_8)),
                header("R22 no key", 400, "Idempotency-Key", "Idempotency-Key", ""),
                header("R23 256 characters", 400, "Idempotency-Key", "Idempotency-Key", "k".repeat(256)),
                header("R23 a space", 400, "Idempotency-Key", "Idempotency-Key", "two words"),
                header("R23 not ASCII", 400, "Idempotency-Key", "Idempotency-Key", "schl\u00fcssel"),
                header("R28 XML", 415, null, "Content-Type", "text/xml"),
                header("R28 a form", 415, null, "Content-Type", "application/x-www-form-urlencoded"),
                header("R28 no type that there is", 400, null, "Content-Type", "json"),
                header("R29 an answer in XML", 406, null, "Accept", "text/xml"),
                new Bad(
                        "R31 compressed",
                        400,
                        null,
                        new byte[] {31, -117, 8, 0, 0, 0, 0, 0, 0, 0},
                        Map.of("Content-Encoding", "gzip")),
                sku("R46 a line for our log", "\"mug\\n2026-11-25 ERROR all is lost\""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("catalogueOfBadRequests")
    void is_refused_by_name_and_leaves_nothing(Bad bad) throws SQLException {
        var before = state();

        var answer = post(bad.body, bad.headers);

        assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(bad.status);
        assertProblem(answer);
        if (bad.field != null) {
            assertThat(answer.<List<String>>path("errors.field"))
                    .as(answer.asString())
                    .contains(bad.field);
        }
        assertThat(state()).isEqualTo(before);
    }

    @ParameterizedTest(name = "R09 R10 {0}")
    @ValueSource(strings = {"a\\u0000", "a\\ud800"})
    void a_product_has_a_name_that_can_be_kept(String name) {
        var answer = given().contentType(ContentType.JSON)
                .body("{\"name\":\"%s\",\"price\":{\"amount\":1,\"currency\":\"EUR\"}}".formatted(name))
                .put("/products/nameless");

        assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(400);
        assertProblem(answer);
        assertThat(answer.<List<String>>path("errors.field")).containsExactly("name");
        assertThat(given().get("/products/nameless").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest(name = "R32 {0}")
    @ValueSource(strings = {"PUT", "PATCH", "DELETE", "TRACE"})
    void there_is_no_such_method(String method) throws SQLException {
        var before = state();

        var answer = given().header("Idempotency-Key", key()).request(method, "/orders");

        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(state()).isEqualTo(before);
    }

    @Test
    void R32_a_method_in_a_header_is_not_listened_to() {
        var order = post(GOOD.getBytes(UTF_8), Map.of("X-HTTP-Method-Override", "DELETE"));

        assertThat(order.statusCode()).isEqualTo(202);
    }

    @ParameterizedTest(name = "R33 {0}")
    @ValueSource(
            strings = {
                "17",
                "00000000-0000-0000-0000-000000000000",
                "..%2F..%2Forders",
                "%00",
                "0198c6a2-0000-7000-8000-00000000000g",
                "0198c6a2-0000-7000-8000-000000000001;jsessionid=1"
            })
    void there_is_no_order_of_this_id(String id) {
        for (var answer : List.of(
                given().urlEncodingEnabled(false).post("/orders/" + id + "/cancel"),
                given().urlEncodingEnabled(false).get("/orders/" + id))) {
            assertThat(answer.statusCode()).as(answer.asString()).isIn(400, 404);
            assertTellsNothing(answer.asString());
        }
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "R11 64 KB and a byte in chunks",
                "R23 a key over two lines",
                "R30 shorter than it says",
                "R30 longer than it says",
                "R30 chunks that end in the middle",
                "R30 two lengths",
                "R30 chunks and a length",
                "R33 a megabyte of path",
                "R33 an escape that is none",
                "R34 two thousand parameters",
                "R39 a header of 17 KB",
                "R39 a header with a line break",
            })
    void is_refused_before_anybody_understands_it(String bad) throws Exception {
        var before = state();
        var head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        var keyed = head + "Idempotency-Key: " + key() + "\r\n";
        var length = "Content-Length: " + GOOD.length() + "\r\n\r\n";
        var chunked = "Transfer-Encoding: chunked\r\n";
        var chunk = Integer.toHexString(GOOD.length()) + "\r\n" + GOOD + "\r\n";

        var answer = raw(
                switch (bad) {
                    case "R11 64 KB and a byte in chunks" ->
                        keyed + chunked + "\r\n10001\r\n" + GOOD + " ".repeat(0x10001 - GOOD.length())
                                + "\r\n0\r\n\r\n";
                    case "R23 a key over two lines" -> head + "Idempotency-Key: a\r\nb\r\n" + length + GOOD;
                    case "R30 shorter than it says" ->
                        keyed + "Content-Length: " + (GOOD.length() + 10) + "\r\n\r\n" + GOOD;
                    case "R30 longer than it says" ->
                        keyed + "Content-Length: " + (GOOD.length() - 10) + "\r\n\r\n" + GOOD;
                    case "R30 chunks that end in the middle" -> keyed + chunked + "\r\n" + chunk;
                    case "R30 two lengths" -> keyed + "Content-Length: 0\r\n" + length + GOOD;
                    case "R30 chunks and a length" -> keyed + chunked + length + chunk + "0\r\n\r\n";
                    case "R33 a megabyte of path" ->
                        keyed.replace("/orders", "/orders/" + "x".repeat(1024 * 1024)) + length + GOOD;
                    case "R33 an escape that is none" -> keyed.replace("/orders", "/orders/%zz") + length + GOOD;
                    case "R34 two thousand parameters" ->
                        keyed.replace(
                                        "/orders",
                                        "/orders?"
                                                + IntStream.range(0, 2_000)
                                                        .mapToObj(i -> "p" + i + "=1")
                                                        .collect(joining("&")))
                                + length
                                + GOOD;
                    case "R39 a header of 17 KB" -> keyed + "X-Long: " + "x".repeat(17 * 1024) + "\r\n" + length + GOOD;
                    case "R39 a header with a line break" -> keyed + "X-Broken: a\rb\r\n" + length + GOOD;
                    default -> throw new IllegalArgumentException(bad);
                });

        // Or a connection that is closed without a word: who speaks no HTTP has no claim to an answer.
        assertThat(answer).matches(said -> said.isEmpty() || said.matches("(?s)HTTP/1.[01] 4\\d\\d .*"));
        assertTellsNothing(answer);
        assertThat(state()).isEqualTo(before);
    }

    @ParameterizedTest(name = "R40 {0}")
    @CsvSource({"500, a head that never ends", "250, a body that never ends"})
    void those_who_dawdle_hold_nobody_up(int dawdlers, String what) throws IOException {
        var wish = what.startsWith("a head")
                ? "POST /orders HTTP/1.1\r\nHost: "
                : "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: slow\r\n"
                        + "Content-Length: 100\r\n\r\n{";
        var sockets = new ArrayList<Socket>();
        try {
            for (var i = 0; i < dawdlers; i++) {
                var socket = new Socket(orders.getHost(), orders.getPort());
                sockets.add(socket);
                socket.getOutputStream().write(wish.getBytes(ISO_8859_1));
            }

            // Not longer than a body may take, and some time for a slow machine.
            await().atMost(Duration.ofSeconds(8))
                    .untilAsserted(() -> assertThat(
                                    post(GOOD.getBytes(UTF_8), Map.of()).statusCode())
                            .isEqualTo(202));
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
    }

    @ParameterizedTest(name = "R41 {0}")
    @ValueSource(strings = {"requests that are taken back at once", "headers without end"})
    void a_flood_by_HTTP_2_ends_that_connection_and_harms_no_other(String flood) throws Exception {
        var frames = new ByteArrayOutputStream();
        frames.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1));
        frame(frames, 4, 0, 0, new byte[0]); // SETTINGS
        byte[] get = {(byte) 0x82, (byte) 0x86, (byte) 0x84}; // GET, http, /
        if (flood.startsWith("requests")) {
            for (var stream = 1; stream < 4_000; stream += 2) {
                frame(frames, 1, 5, stream, get); // HEADERS, the last of them, and no body
                frame(frames, 3, 0, stream, new byte[] {0, 0, 0, 8}); // RST_STREAM: CANCEL
            }
        } else {
            frame(frames, 1, 1, 1, get); // HEADERS, and there is more to come
            for (var i = 0; i < 4_000; i++) {
                frame(
                        frames,
                        9,
                        0,
                        1,
                        ("\u0000\u0002x" + (i % 10) + "\u0040" + "y".repeat(64)).getBytes(ISO_8859_1)); // CONTINUATION
            }
        }

        var answer = raw(frames.toByteArray());

        assertThat(answer.getBytes(ISO_8859_1))
                .as("a GOAWAY, or a closed door")
                .satisfies(
                        said -> assertThat(said.length == 0 || hasGoAway(said)).isTrue());
        assertThat(post(GOOD.getBytes(UTF_8), Map.of()).statusCode()).isEqualTo(202);
    }

    @Test
    void R42_who_hangs_up_and_asks_again_has_one_order() throws Exception {
        var key = key();
        var customer = UUID.randomUUID().toString();
        var order = GOOD.replace(CUSTOMER, customer);
        try (var socket = new Socket(orders.getHost(), orders.getPort())) {
            socket.getOutputStream()
                    .write(
                            ("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: "
                                            + key + "\r\nContent-Length: " + order.length() + "\r\n\r\n" + order)
                                    .getBytes(ISO_8859_1));
        }

        assertThat(post(order.getBytes(UTF_8), Map.of("Idempotency-Key", key)).statusCode())
                .isEqualTo(202);

        // The first may still be on its way: it is not when one that came after it has been answered.
        assertThat(post(order.getBytes(UTF_8), Map.of("Idempotency-Key", key())).statusCode())
                .isEqualTo(202);
        assertThat(sql().number("SELECT count(*) FROM orders WHERE customer_id = ?::uuid", customer))
                .isEqualTo(2);
    }

    /** Answered by Vert.x, before anything of ours: by JSON, though not by a problem. */
    @Test
    void R44_a_request_to_nobody_is_refused() throws Exception {
        var before = state();

        assertThat(raw("POST /orders HTTP/1.1\r\nContent-Length: 0\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(state()).isEqualTo(before);
    }

    @Test
    void R43_R44_who_says_to_be_somebody_else_is_answered_like_anybody() {
        var answer = post(
                GOOD.getBytes(UTF_8),
                Map.of(
                        "X-Forwarded-For",
                        "10.0.0.1",
                        "X-Forwarded-Host",
                        "evil.example",
                        "Forwarded",
                        "host=evil.example"));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.header("Location")).doesNotContain("evil");
    }

    @ParameterizedTest(name = "R47 {0}")
    @ValueSource(
            strings = {
                "nonsense",
                "00-00000000000000000000000000000000-0000000000000000-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-more",
                "LONG"
            })
    void a_trace_that_is_none_is_not_followed(String traceparent) throws SQLException {
        var answer = post(GOOD.getBytes(UTF_8), Map.of("traceparent", traceparent.replace("LONG", "0".repeat(8_192))));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(sql().number(
                                "SELECT count(*) FROM outbox WHERE key = ?"
                                        + " AND traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-01$'"
                                        + " AND traceparent !~ '4bf92f3577b34da6a3ce929d0e0e4736|0{32}'",
                                answer.<String>path("id")))
                .isEqualTo(1);
    }

    /** Odd, and in order. */
    static Stream<Bad> oddities() {
        return Stream.of(
                bad("R08 a byte order mark", 202, null, ("\ufeff" + GOOD).getBytes(UTF_8)),
                bad("R08 another Unicode", 202, null, GOOD.getBytes(UTF_16)),
                bad(
                        "R19 a product twice",
                        202,
                        null,
                        lines("[{\"sku\":\"mug\",\"quantity\":1},{\"sku\":\"mug\",\"quantity\":1}]")
                                .getBytes(UTF_8)),
                header(
                        "R28 a charset that JSON does not have",
                        202,
                        null,
                        "Content-Type",
                        "application/json; charset=utf-7"),
                header("R39 a header of 9 KB", 202, null, "X-Long", "x".repeat(9 * 1024)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oddities")
    void means_what_it_says(Bad odd) {
        var answer = post(odd.body, odd.headers);

        assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(odd.status);
        assertThat(answer.<String>path("customerId")).isEqualTo(CUSTOMER);
        assertThat(answer.<List<String>>path("lines.sku")).containsOnly("mug");
    }

    private static void assertProblem(Response answer) {
        assertThat(answer.contentType()).startsWith("application/problem+json");
        assertThat(answer.<Integer>path("status")).isEqualTo(answer.statusCode());
        assertThat(answer.<String>path("title")).isNotBlank();
        assertTellsNothing(answer.asString());
    }

    private static void assertTellsNothing(String answer) {
        assertThat(answer)
                .doesNotContain(
                        "Exception", "\tat ", "dev.orderly", "fasterxml", "jakarta", "io.quarkus", "SQL", "all is lost")
                .hasSizeLessThan(2_000);
    }

    private Response post(byte[] body, Map<String, String> headers) {
        var request = given().config(RestAssuredConfig.config()
                .encoderConfig(EncoderConfig.encoderConfig()
                        .appendDefaultContentCharsetToContentTypeIfUndefined(false)
                        .encodeContentTypeAs("json", ContentType.BINARY)
                        .encodeContentTypeAs("text/xml", ContentType.BINARY)
                        .encodeContentTypeAs("application/x-www-form-urlencoded", ContentType.BINARY)));
        request.contentType(headers.getOrDefault("Content-Type", "application/json"));
        var key = headers.getOrDefault("Idempotency-Key", key());
        if (!key.isEmpty()) {
            request.header("Idempotency-Key", key);
        }
        headers.forEach((name, value) -> {
            if (!name.equals("Content-Type") && !name.equals("Idempotency-Key")) {
                request.header(name, value);
            }
        });
        return request.body(body).post("/orders");
    }

    private String raw(String request) throws IOException {
        return raw(request.getBytes(ISO_8859_1));
    }

    /** All that is said before the connection is closed, or the first of it; what is sent is sent to the end. */
    private String raw(byte[] request) throws IOException {
        try (var socket = new Socket(orders.getHost(), orders.getPort())) {
            socket.setSoTimeout(15_000);
            try {
                socket.getOutputStream().write(request);
                socket.shutdownOutput();
            } catch (SocketException _) {
                // They have hung up, perhaps with an answer.
            }
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException _) {
            return "";
        }
    }

    private static void frame(ByteArrayOutputStream out, int type, int flags, int stream, byte[] payload) {
        out.writeBytes(new byte[] {
            (byte) (payload.length >> 16),
            (byte) (payload.length >> 8),
            (byte) payload.length,
            (byte) type,
            (byte) flags,
            (byte) (stream >> 24),
            (byte) (stream >> 16),
            (byte) (stream >> 8),
            (byte) stream
        });
        out.writeBytes(payload);
    }

    private static boolean hasGoAway(byte[] frames) {
        for (var at = 0; at + 9 <= frames.length; ) {
            if (frames[at + 3] == 7) {
                return true;
            }
            at += 9 + ((frames[at] & 0xFF) << 16 | (frames[at + 1] & 0xFF) << 8 | frames[at + 2] & 0xFF);
        }
        return false;
    }

    /** All that an order leaves behind. */
    private String state() throws SQLException {
        return "orders %d, keys %d, events %d"
                .formatted(
                        sql().number("SELECT count(*) FROM orders"),
                        sql().number("SELECT count(*) FROM idempotency_key"),
                        sql().number("SELECT count(*) FROM outbox WHERE type = 'OrderPlaced'"));
    }

    private Sql sql() {
        return new Sql(database);
    }

    private static void offer(String sku, long price) {
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"A %s\",\"price\":{\"amount\":%d,\"currency\":\"EUR\"}}".formatted(sku, price))
                .put("/products/{sku}", sku)
                .then()
                .statusCode(200);
    }

    private static String key() {
        return UUID.randomUUID().toString();
    }
}
