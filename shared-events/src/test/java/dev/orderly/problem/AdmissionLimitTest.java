package dev.orderly.problem;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.restassured.response.Response;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
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

/** On a web server whose answers are held back until the test lets them go. */
class AdmissionLimitTest {

    private static final int MOST = 2;

    private final Vertx vertx = Vertx.vertx();
    private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
    private final List<RoutingContext> underWay = new CopyOnWriteArrayList<>();
    private int port;

    @BeforeEach
    void serve() {
        var limit = new AdmissionLimit(MOST, Optional.of(List.of("/crowd/")), new SimpleMeterRegistry());
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
