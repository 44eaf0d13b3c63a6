package dev.orderly.order;

import static dev.orderly.order.OrderRequests.CUSTOMER;
import static dev.orderly.order.OrderRequests.ORDER;
import static dev.orderly.order.OrderRequests.assertHidesInternals;
import static dev.orderly.order.OrderRequests.key;
import static dev.orderly.order.OrderRequests.offer;
import static dev.orderly.order.OrderRequests.post;
import static dev.orderly.order.OrderRequests.rows;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.IntegrationTest;
import dev.orderly.database.RetryingTransactions;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What no HTTP client sends, byte by byte: malformed and slow requests, floods, and callers that hang up. */
@QuarkusTest
class MalformedHttpTest extends IntegrationTest {

    private static final String HEAD = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
    private static final String CHUNK = Integer.toHexString(ORDER.length()) + "\r\n" + ORDER + "\r\n";
    private static final String BODY = contentLength(ORDER.length()) + ORDER;

    @TestHTTPResource("/orders")
    URI orders;

    @Inject
    RetryingTransactions transactions;

    @Inject
    MeterRegistry metrics;

    @BeforeEach
    void catalogue() {
        offer("mug", 1999);
    }

    private static String headWithKey() {
        return HEAD + "Idempotency-Key: " + key() + "\r\n";
    }

    private static String contentLength(int length) {
        return "Content-Length: " + length + "\r\n\r\n";
    }

    static Stream<Arguments> malformedRequests() {
        var head = headWithKey();
        var parameters = IntStream.range(0, 2_000).mapToObj(i -> "p" + i + "=1").collect(joining("&"));
        return Stream.of(
                Arguments.of(
                        "64 KB and a byte in chunks",
                        head + CHUNKED + "\r\n10001\r\n" + ORDER + " ".repeat(0x10001 - ORDER.length())
                                + "\r\n0\r\n\r\n"),
                Arguments.of("a key over two lines", HEAD + "Idempotency-Key: a\r\nb\r\n" + BODY),
                Arguments.of("shorter than its length", head + contentLength(ORDER.length() + 10) + ORDER),
                Arguments.of("longer than its length", head + contentLength(ORDER.length() - 10) + ORDER),
                Arguments.of("chunks without the last", head + CHUNKED + "\r\n" + CHUNK),
                Arguments.of("two lengths", head + "Content-Length: 0\r\n" + BODY),
                Arguments.of(
                        "chunks and a length", head + CHUNKED + contentLength(ORDER.length()) + CHUNK + "0\r\n\r\n"),
                Arguments.of(
                        "a path of a megabyte", head.replace("/orders", "/orders/" + "x".repeat(1024 * 1024)) + BODY),
                Arguments.of("an invalid escape", head.replace("/orders", "/orders/%zz") + BODY),
                Arguments.of("two thousand parameters", head.replace("/orders", "/orders?" + parameters) + BODY),
                Arguments.of("a header of 17 KB", head + "X-Long: " + "x".repeat(17 * 1024) + "\r\n" + BODY),
                Arguments.of("a header with a line break", head + "X-Broken: a\rb\r\n" + BODY));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformedRequests")
    void a_malformed_request_is_rejected_before_it_is_read(String name, String request) throws Exception {
        var before = rows(sql());

        var answer = send(request);

        // Or the connection is closed without an answer: a client that does not speak HTTP cannot expect one.
        assertThat(answer).matches(said -> said.isEmpty() || said.matches("(?s)HTTP/1.[01] 4\\d\\d .*"));
        assertHidesInternals(answer);
        assertThat(rows(sql())).isEqualTo(before);
    }

    /** Answered by Vert.x before any filter: as JSON, but not as a problem. */
    @Test
    void a_request_without_a_host_is_rejected() throws Exception {
        var before = rows(sql());

        assertThat(send("POST /orders HTTP/1.1\r\nContent-Length: 0\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(rows(sql())).isEqualTo(before);
    }

    static Stream<Arguments> slowRequests() {
        return Stream.of(
                Arguments.of("a head that never ends", 500, "POST /orders HTTP/1.1\r\nHost: "),
                Arguments.of(
                        "a body that never ends", 250, HEAD + "Idempotency-Key: slow\r\n" + contentLength(100) + "{"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("slowRequests")
    void slow_clients_do_not_block_others(String name, int clients, String beginning) throws IOException {
        var sockets = new ArrayList<Socket>();
        try {
            for (var i = 0; i < clients; i++) {
                var socket = connect();
                sockets.add(socket);
                socket.getOutputStream().write(beginning.getBytes(ISO_8859_1));
            }

            // The maximum duration of a body, and some time for a slow machine.
            await().atMost(Duration.ofSeconds(8))
                    .untilAsserted(() -> assertThat(post(ORDER).statusCode()).isEqualTo(202));
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void slow_queries_leave_connections_to_what_the_service_consumes() throws Exception {
        try (var senders = Executors.newVirtualThreadPerTaskExecutor();
                var lock = database.getConnection()) {
            lock.setAutoCommit(false);
            var queries = new ArrayList<Future<Response>>();
            try (var statement = lock.createStatement()) {
                statement.execute("LOCK TABLE product IN ACCESS EXCLUSIVE MODE");
            }
            for (var i = 0; i < 60; i++) {
                queries.add(senders.submit(() -> given().get("/products/mug")));
            }
            await().until(
                            () -> sql().number("SELECT count(*) FROM pg_locks WHERE NOT granted"),
                            waiting -> waiting > 0);

            var seen = transactions.commit(() -> sql().number("SELECT count(*) FROM pg_locks WHERE NOT granted"));

            assertThat(seen).as("queries that wait in the database").isBetween(1L, 8L);
            lock.rollback();
            for (var query : queries) {
                assertThat(query.get().statusCode()).isIn(200, 503);
            }
        }
        assertThat(metrics.get("orderly.http.database.permits").gauge().value()).isEqualTo(8);
    }

    @Test
    void a_flood_of_resets_by_HTTP_2_ends_that_connection_and_harms_no_other() throws Exception {
        var flood = http2();
        byte[] get = {(byte) 0x82, (byte) 0x86, (byte) 0x84}; // GET, http, /
        for (var stream = 1; stream < 4_000; stream += 2) {
            frame(flood, 1, 5, stream, get); // HEADERS, with END_HEADERS and END_STREAM
            frame(flood, 3, 0, stream, new byte[] {0, 0, 0, 8}); // RST_STREAM: CANCEL
        }

        assertEndsTheConnection(flood);
    }

    @Test
    void a_flood_of_headers_by_HTTP_2_ends_that_connection_and_harms_no_other() throws Exception {
        var flood = http2();
        byte[] get = {(byte) 0x82, (byte) 0x86, (byte) 0x84}; // GET, http, /
        frame(flood, 1, 1, 1, get); // HEADERS, without END_HEADERS
        for (var i = 0; i < 4_000; i++) {
            var header = "\u0000\u0002x" + (i % 10) + "\u0040" + "y".repeat(64);
            frame(flood, 9, 0, 1, header.getBytes(ISO_8859_1)); // CONTINUATION
        }

        assertEndsTheConnection(flood);
    }

    private void assertEndsTheConnection(ByteArrayOutputStream flood) throws IOException {
        var answer = send(flood.toByteArray()).getBytes(ISO_8859_1);

        assertThat(answer.length == 0 || hasGoAway(answer))
                .as("a GOAWAY, or a closed connection")
                .isTrue();
        assertThat(post(ORDER).statusCode()).isEqualTo(202);
    }

    @Test
    void a_caller_who_hangs_up_and_repeats_the_request_has_one_order() throws Exception {
        var key = key();
        var customer = UUID.randomUUID().toString();
        var order = ORDER.replace(CUSTOMER, customer);
        try (var socket = connect()) {
            var request = HEAD + "Idempotency-Key: " + key + "\r\n" + contentLength(order.length()) + order;
            socket.getOutputStream().write(request.getBytes(ISO_8859_1));
        }

        assertThat(post(order.getBytes(UTF_8), Map.of("Idempotency-Key", key)).statusCode())
                .isEqualTo(202);

        // The first may still be in flight; not after one that was sent later has been answered.
        assertThat(post(order).statusCode()).isEqualTo(202);
        assertThat(sql().number("SELECT count(*) FROM orders WHERE customer_id = ?::uuid", customer))
                .isEqualTo(2);
    }

    private Socket connect() throws IOException {
        return new Socket(orders.getHost(), orders.getPort());
    }

    private String send(String request) throws IOException {
        return send(request.getBytes(ISO_8859_1));
    }

    /** Returns what is answered until the connection is closed. */
    private String send(byte[] request) throws IOException {
        try (var socket = connect()) {
            socket.setSoTimeout(15_000);
            try {
                socket.getOutputStream().write(request);
                socket.shutdownOutput();
            } catch (SocketException _) {
                // The service has closed the connection, perhaps after an answer.
            }
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException _) {
            return "";
        }
    }

    /** The connection preface, and empty SETTINGS. */
    private static ByteArrayOutputStream http2() {
        var frames = new ByteArrayOutputStream();
        frames.writeBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1));
        frame(frames, 4, 0, 0, new byte[0]);
        return frames;
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
}
