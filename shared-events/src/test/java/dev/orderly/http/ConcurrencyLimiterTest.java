package dev.orderly.http;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.runtime.configuration.MemorySize;
import io.restassured.response.Response;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.math.BigInteger;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a web server that answers commands only when the test releases them. */
class ConcurrencyLimiterTest {

    private static final int MAX = 2;
    private static final int MAX_BODY = 64 * 1024;

    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final List<RoutingContext> inFlight = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Throwable> ofClientThatLeft = new CompletableFuture<>();
    private int port;

    @BeforeEach
    void serve() {
        var bodies = new RequestBodyReceiver(
                new MemorySize(BigInteger.valueOf(MAX_BODY)), Duration.ofMinutes(1), new SimpleMeterRegistry());
        var limit = new ConcurrencyLimiter(MAX, new SimpleMeterRegistry());
        var router = Router.router(vertx);
        router.post("/sales/*").handler(request -> {
            ConcurrencyLimiter.exempt(request);
            request.next();
        });
        router.post("/left").handler(this::continueWhenClientHasLeft);
        router.route().handler(bodies::receive);
        router.route().handler(limit::admit);
        router.post("/sales/*").handler(request -> request.end("queued"));
        router.get().handler(request -> request.end("an answer"));
        router.route().handler(inFlight::add);
        port = vertx.createHttpServer()
                .requestHandler(router)
                .listen(0)
                .toCompletionStage()
                .toCompletableFuture()
                .join()
                .actualPort();
    }

    @AfterEach
    void stop() {
        clients.shutdownNow();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void commands_beyond_the_limit_are_rejected_until_others_are_done() {
        var admitted = fillUp();

        var rejected = command();

        assertThat(rejected.statusCode()).isEqualTo(503);
        assertThat(rejected.header("Retry-After")).isEqualTo("1");
        assertThat(rejected.contentType()).startsWith("application/problem+json");
        assertThat(rejected.<String>path("detail")).contains("Nothing was changed");

        inFlight.forEach(RoutingContext::end);
        assertThat(admitted)
                .allSatisfy(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
        var next = CompletableFuture.supplyAsync(this::command, clients);
        await().until(() -> inFlight.size() == MAX + 1);
        inFlight.getLast().end();
        assertThat(next.join().statusCode()).isEqualTo(200);
    }

    @Test
    void queries_are_always_admitted() {
        var admitted = fillUp();

        assertThat(given().port(port).get("/").statusCode()).isEqualTo(200);

        inFlight.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @Test
    void commands_with_a_limit_of_their_own_are_not_counted() {
        var admitted = fillUp();

        assertThat(given().port(port).post("/sales/7").statusCode()).isEqualTo(200);

        inFlight.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @Test
    void a_body_that_does_not_arrive_takes_no_place() throws IOException {
        var slow = new ArrayList<Socket>();
        try {
            for (var i = 0; i < 10 * MAX; i++) {
                slow.add(begin(100, "{"));
            }

            var admitted = fillUp();

            inFlight.forEach(RoutingContext::end);
            assertThat(admitted)
                    .allSatisfy(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
        } finally {
            closeAll(slow);
        }
    }

    @Test
    void incomplete_bodies_have_a_limit_beyond_which_the_first_is_given_up() throws IOException {
        var slow = new ArrayList<Socket>();
        try {
            var first = begin(MAX_BODY, "first");
            slow.add(first);
            var nearlyWhole = "x".repeat(MAX_BODY - 1);
            for (var bytes = 0L; bytes <= RequestBodyReceiver.MAX_INCOMPLETE_BYTES; bytes += nearlyWhole.length()) {
                slow.add(begin(MAX_BODY, nearlyWhole));
            }

            first.setSoTimeout(10_000);
            assertThat(new String(first.getInputStream().readAllBytes(), ISO_8859_1))
                    .startsWith("HTTP/1.1 408 ")
                    .contains("application/problem+json", "did not arrive in time");
        } finally {
            closeAll(slow);
        }
    }

    @Test
    void a_client_that_leaves_while_its_token_is_verified_is_no_failure() throws IOException {
        begin("/left", 100, "{").close();

        assertThat(ofClientThatLeft.orTimeout(10, TimeUnit.SECONDS).join()).isNull();
        assertThat(inFlight).isEmpty();
    }

    private void continueWhenClientHasLeft(RoutingContext request) {
        request.request().pause();
        request.response().closeHandler(_ -> {
            request.next();
            ofClientThatLeft.complete(request.failure());
        });
    }

    private Socket begin(int length, String beginning) throws IOException {
        return begin("/", length, beginning);
    }

    /** Sends the head of a command and the beginning of its body. */
    private Socket begin(String path, int length, String beginning) throws IOException {
        var socket = new Socket("localhost", port);
        var head = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n".formatted(path, length);
        socket.getOutputStream().write((head + beginning).getBytes(ISO_8859_1));
        return socket;
    }

    private static void closeAll(List<Socket> sockets) throws IOException {
        for (var socket : sockets) {
            socket.close();
        }
    }

    private List<CompletableFuture<Response>> fillUp() {
        var admitted = new ArrayList<CompletableFuture<Response>>();
        for (var i = 1; i <= MAX; i++) {
            admitted.add(CompletableFuture.supplyAsync(this::command, clients));
        }
        await().until(() -> inFlight.size() == MAX);
        return admitted;
    }

    private Response command() {
        return given().port(port).body("a command").post("/");
    }
}
