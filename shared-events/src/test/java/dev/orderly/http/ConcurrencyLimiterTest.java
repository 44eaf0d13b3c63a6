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

/** On a web server whose answers are held back until the test lets them go. */
class ConcurrencyLimiterTest {

    private static final int MOST = 2;

    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private final List<RoutingContext> underWay = new CopyOnWriteArrayList<>();
    private int port;

    @BeforeEach
    void serve() {
        var limit = new ConcurrencyLimiter(MOST, Optional.of(List.of("/crowd")), new SimpleMeterRegistry());
        var router = Router.router(vertx);
        router.route().handler(limit::admit);
        router.post("/crowd/*").handler(buyer -> buyer.end("you are in line"));
        router.get().handler(question -> question.end("an answer"));
        router.route().handler(underWay::add);
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
        callers.shutdownNow();
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void commands_beyond_the_limit_are_turned_away_until_others_are_done() {
        var admitted = fillUp();

        var refused = command();

        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.header("Retry-After")).isEqualTo("1");
        assertThat(refused.contentType()).startsWith("application/problem+json");
        assertThat(refused.<String>path("detail")).contains("Nothing was changed");

        underWay.forEach(RoutingContext::end);
        assertThat(admitted)
                .allSatisfy(answer -> assertThat(answer.join().statusCode()).isEqualTo(200));
        var next = CompletableFuture.supplyAsync(this::command, callers);
        await().until(() -> underWay.size() == MOST + 1);
        underWay.getLast().end();
        assertThat(next.join().statusCode()).isEqualTo(200);
    }

    @Test
    void questions_are_always_admitted() {
        var admitted = fillUp();

        assertThat(given().port(port).get("/").statusCode()).isEqualTo(200);

        underWay.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @Test
    void what_limits_itself_is_always_admitted() {
        var admitted = fillUp();

        assertThat(given().port(port).post("/crowd/7").statusCode()).isEqualTo(200);

        underWay.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/crowded", "/crowd/../orders", "/crowd/%2e%2e/orders", "/crowd%2F7"})
    void what_only_begins_like_it_is_not_admitted(String path) throws Exception {
        var admitted = fillUp();

        assertThat(statusOf(path)).isEqualTo(503);

        underWay.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/crowd/7/", "//crowd/7", "/orders/../crowd/7"})
    void what_is_routed_to_it_is_admitted_however_it_is_written(String path) throws Exception {
        var admitted = fillUp();

        assertThat(statusOf(path)).isEqualTo(200);

        underWay.forEach(RoutingContext::end);
        admitted.forEach(CompletableFuture::join);
    }

    /** By a client that sends the path as it is. */
    private int statusOf(String path) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            var command = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                    .timeout(Duration.ofSeconds(10)) // who is admitted here is not answered
                    .POST(BodyPublishers.ofString("a wish"))
                    .build();
            return client.send(command, BodyHandlers.discarding()).statusCode();
        }
    }

    private List<CompletableFuture<Response>> fillUp() {
        var admitted = new ArrayList<CompletableFuture<Response>>();
        for (var i = 1; i <= MOST; i++) {
            admitted.add(CompletableFuture.supplyAsync(this::command, callers));
        }
        await().until(() -> underWay.size() == MOST);
        return admitted;
    }

    private Response command() {
        return given().port(port).body("a wish").post("/");
    }
}
