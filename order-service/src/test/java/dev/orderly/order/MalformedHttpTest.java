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
import dev.orderly.testing.Tokens;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
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

    private static String head() {
        return HEAD + Tokens.headerOfAllRoles(CUSTOMER);
    }

    private static String headWithKey() {
        return head() + "Idempotency-Key: " + key() + "\r\n";
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
                Arguments.of("a key over two lines", head() + "Idempotency-Key: a\r\nb\r\n" + BODY),
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
                Arguments.of("a head that never ends", "POST /orders HTTP/1.1\r\nHost: "),
                Arguments.of("a body that never ends", head() + "Idempotency-Key: slow\r\n" + contentLength(500) + "{"),
                Arguments.of("chunks that never end", head() + CHUNKED + "\r\n"),
                Arguments.of(
                        "an erasure with a body",
                        head().replace("POST /orders", "DELETE /customers/x") + contentLength(500)));
    }

    /** More than the commands that may be in progress; each sends a byte with every order of others. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("slowRequests")
    void slow_clients_do_not_block_others(String name, String beginning) throws IOException {
        var sockets = new ArrayList<Socket>();
        try {
            for (var i = 0; i < 500; i++) {
                var socket = connect();
                sockets.add(socket);
                socket.getOutputStream().write(beginning.getBytes(ISO_8859_1));
            }
            for (var i = 0; i < 5; i++) {
                assertThat(post(ORDER).statusCode()).isEqualTo(202);
                sockets.forEach(MalformedHttpTest::sendOneByte);
            }
        } finally {
            for (var socket : sockets) {
                socket.close();
            }
        }
    }

    private static void sendOneByte(Socket socket) {
        try {
            socket.getOutputStream().write(' ');
        } catch (IOException _) {
            // The service has given it up.
        }
    }

    @Test
    void a_body_of_the_greatest_length_is_read_whole() {
        assertThat(post(" ".repeat(64 * 1024 - ORDER.length()) + ORDER).statusCode())
                .isEqualTo(202);
    }

    @Test
    void a_body_that_does_not_arrive_in_time_is_a_problem_of_its_sender() throws IOException {
        try (var socket = connect()) {
            socket.setSoTimeout(15_000);
            socket.getOutputStream().write((headWithKey() + contentLength(500) + "{").getBytes(ISO_8859_1));

            assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 408 ")
                    .contains("application/problem+json", "Nothing was changed");
        }
    }

    @Test
    void a_client_that_waits_for_leave_to_send_its_body_gets_it() throws IOException {
        try (var socket = connect()) {
            socket.setSoTimeout(15_000);
            var head = headWithKey() + "Connection: close\r\nExpect: 100-continue\r\n" + contentLength(ORDER.length());
            socket.getOutputStream().write(head.getBytes(ISO_8859_1));
            var leave = "HTTP/1.1 100 Continue\r\n\r\n";
            assertThat(new String(socket.getInputStream().readNBytes(leave.length()), ISO_8859_1))
                    .isEqualTo(leave);

            socket.getOutputStream().write(ORDER.getBytes(ISO_8859_1));

            assertThat(new String(socket.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 202 ");
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

    /** One connection of HTTP/2 is a hundred requests at once: a way around what limits a connection. */
    @Test
    void a_client_that_insists_on_HTTP_2_is_turned_away() throws Exception {
        assertThat(send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0")) // and empty SETTINGS
                .matches(answer -> answer.isEmpty() || answer.matches("(?s)HTTP/\\d.\\d 4\\d\\d .*"));
        given().header("Connection", "Upgrade, HTTP2-Settings")
                .header("Upgrade", "h2c")
                .header("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")
                .get("/products/mug")
                .then()
                .statusCode(200); // and not 101
    }

    @Test
    void a_caller_who_hangs_up_and_repeats_the_request_has_one_order() throws Exception {
        var key = key();
        var customer = UUID.randomUUID().toString();
        var order = ORDER.replace(CUSTOMER, customer);
        try (var socket = connect()) {
            var head = HEAD + Tokens.headerOfAllRoles(customer);
            var request = head + "Idempotency-Key: " + key + "\r\n" + contentLength(order.length()) + order;
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

    /** Returns what is answered until the connection is closed. */
    private String send(String request) throws IOException {
        try (var socket = connect()) {
            socket.setSoTimeout(15_000);
            try {
                socket.getOutputStream().write(request.getBytes(ISO_8859_1));
                socket.shutdownOutput();
            } catch (SocketException _) {
                // The service has closed the connection, perhaps after an answer.
            }
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        } catch (SocketException _) {
            return "";
        }
    }
}
