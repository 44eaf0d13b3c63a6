package dev.orderly.http;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.restassured.response.Response;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** On a web server that answers commands only when the test releases them. */
class ConcurrencyLimiterTest {

    private static final int MAX = 2;

    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final List<RoutingContext> inFlight = new CopyOnWriteArrayList<>();
    private int port;

    @BeforeEach
    void serve() {
        var limit = new ConcurrencyLimiter(MAX, Optional.of(List.of("/sales")), new SimpleMeterRegistry());
        var router = Router.router(vertx);
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
    void commands_below_an_exempt_path_are_always_admitted() {
        var admitted = fillUp();

        assertThat(given().port(port).post("/sales/7").statusCode()).isEqualTo(200);

        inFlight.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/salesmen", "/sales/../orders", "/sales/%2e%2e/orders", "/sales%2F7"})
    void a_path_that_only_begins_like_an_exempt_one_is_not_admitted(String path) throws Exception {
        var admitted = fillUp();

        assertThat(statusOf(path)).isEqualTo(503);

        inFlight.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/sales/7/", "//sales/7", "/orders/../sales/7"})
    void what_is_routed_to_an_exempt_path_is_admitted_in_any_spelling(String path) throws Exception {
        var admitted = fillUp();

        assertThat(statusOf(path)).isEqualTo(200);

        inFlight.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    /** By a client that does not normalize the path. */
    private int statusOf(String path) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var command = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                    .timeout(Duration.ofSeconds(10)) // an admitted command is not answered here
                    .POST(BodyPublishers.ofString("a command"))
                    .build();
            return client.send(command, BodyHandlers.discarding()).statusCode();
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
