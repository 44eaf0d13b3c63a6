package dev.orderly.console;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpCookie;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Scanner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who logs in, what passes through with their token, and who may what. */
@QuarkusTest
@QuarkusTestResource(World.class)
class ConsoleTest {

    private static final String ANN = "0198c6a2-0000-7000-8000-000000000001";

    private final Visitor visitor = new Visitor();

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return new ObjectMapper().readTree(response.body());
    }

    @Test
    void a_visitor_is_nobody_until_they_log_in_and_again_when_they_have_logged_out() throws Exception {
        var before = json(visitor.get("/api/session"));
        assertThat(before.path("name").isNull()).isTrue();
        assertThat(before.path("roles")).isEmpty();

        assertThat(visitor.logIn("ann", "%23/orders/1")).endsWith("/#/orders/1");
        var session = json(visitor.get("/api/session"));
        assertThat(session.path("name").asText()).isEqualTo("ann");
        assertThat(session.path("roles")).hasToString("[\"customer\"]");
        assertThat(session.path("customerId").asText()).isEqualTo(ANN);

        assertThat(visitor.send("POST", "/logout", "").statusCode()).isEqualTo(204);
        assertThat(json(visitor.get("/api/session")).path("roles")).isEmpty();
    }

    @Test
    void who_is_logged_in_can_become_another() throws Exception {
        visitor.logIn("ann", "%23/shop");

        var page = visitor.logIn("carl", "%23/shop&person=carl");

        assertThat(page).endsWith("/#/shop");
        assertThat(json(visitor.get("/api/session")).path("name").asText()).isEqualTo("carl");
    }

    @Test
    void the_tokens_are_in_a_cookie_that_no_page_can_read() throws Exception {
        visitor.logIn("olga", "%23/map");

        assertThat(visitor.cookies())
                .filteredOn(cookie -> cookie.getName().startsWith("q_session"))
                .isNotEmpty()
                .allMatch(HttpCookie::isHttpOnly)
                .noneMatch(cookie -> Arrays.stream(cookie.getValue().split("[.|]"))
                        .anyMatch(part -> part.startsWith(Base64.getUrlEncoder().encodeToString("{\"".getBytes()))));
    }

    @ParameterizedTest
    @CsvSource({"https://evil.example", "//evil.example", "%23//evil.example%0d%0a", "/api/session"})
    void a_login_returns_to_a_place_in_the_page_and_nowhere_else(String next) throws Exception {
        assertThat(visitor.logIn("ann", next)).endsWith(":" + Visitor.url("/").getPort() + "/");
    }

    @Test
    void what_the_page_asks_a_service_has_the_sessions_token_and_no_cookie() throws Exception {
        visitor.logIn("carl", "%23/shop");

        var response = visitor.send(HttpRequest.newBuilder(Visitor.url("/api/orders/orders?limit=3"))
                .header("X-Requested-By", "console")
                .header("Idempotency-Key", "k1")
                .header("Authorization", "Bearer of somebody")
                .POST(BodyPublishers.ofString("{\"a\":1}")));

        var echo = json(response);
        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.headers().firstValue("Location")).contains("/api/orders/orders/1?version=1");
        assertThat(echo.path("route").asText()).isEqualTo("POST /orders");
        assertThat(echo.path("query").asText()).isEqualTo("limit=3");
        assertThat(echo.path("body").asText()).isEqualTo("{\"a\":1}");
        assertThat(echo.path("Idempotency-Key").asText()).isEqualTo("k1");
        assertThat(echo.path("Cookie").asText()).isEmpty();
        var token = echo.path("Authorization").asText().split("[ .]");
        assertThat(new ObjectMapper()
                        .readTree(Base64.getUrlDecoder().decode(token[2]))
                        .path("sub")
                        .asText())
                .isEqualTo("carl");
    }

    @Test
    void a_visitor_without_a_session_asks_services_without_a_token() throws Exception {
        var response = visitor.send(HttpRequest.newBuilder(Visitor.url("/api/inventory/stock"))
                .header("Authorization", "Bearer of somebody"));

        assertThat(json(response).path("Authorization").asText()).isEmpty();
    }

    @Test
    void a_services_problem_comes_as_it_is() throws Exception {
        var response = visitor.send("POST", "/api/payments/refused", "{}");

        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(json(response).path("detail").asText()).isEqualTo("no such product");
    }

    @ParameterizedTest
    @CsvSource({"POST, /api/orders/orders", "DELETE, /api/orders/customers/1", "POST, /api/load", "POST, /logout"})
    void another_sites_page_can_change_nothing(String method, String path) throws Exception {
        visitor.logIn("olga", "%23/map");

        var response =
                visitor.send(HttpRequest.newBuilder(Visitor.url(path)).method(method, BodyPublishers.ofString("{}")));

        assertThat(response.statusCode()).isEqualTo(403);
        assertThat(json(response).path("title").asText()).isEqualTo("Forbidden");
        assertThat(json(visitor.get("/api/session")).path("name").asText()).isEqualTo("olga");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "localhost, 200",
        "127.0.0.1:8088, 200",
        "[::1]:8088, 200",
        "console.test, 200",
        "evil.example:8088, 421",
        "console.test.evil.example, 421"
    })
    void a_site_whose_name_leads_here_is_not_served(String host, int status) throws IOException {
        try (var socket = new Socket("127.0.0.1", Visitor.url("/").getPort())) {
            var request = "GET /api/session HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(US_ASCII));

            assertThat(new Scanner(socket.getInputStream(), US_ASCII).nextLine())
                    .startsWith("HTTP/1.1 " + status);
        }
    }

    /** 404: allowed, and this is no demo. */
    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', textBlock = """
            # request              |                          | anonymous | ann | carl | olga
            GET                    | /api/session             | 200 | 200 | 200 | 200
            GET                    | /                        | 200 | 200 | 200 | 200
            GET                    | /api/inbox?address=a@b.c | 404 | 404 | 404 | 404
            GET                    | /api/inbox               | 400 | 400 | 400 | 400
            GET                    | /api/events              | 401 | 200 | 200 | 200
            GET                    | /api/order-timelines/0198c6a2-0000-7000-8000-000000000009 | 401 | 200 | 200 | 200
            GET                    | /api/lag/history         | 401 | 403 | 403 | 200
            GET                    | /api/faults              | 401 | 403 | 403 | 404
            POST                   | /api/faults/kill-kafka-1 | 401 | 403 | 403 | 404
            GET                    | /api/load                | 401 | 403 | 403 | 404
            POST                   | /api/load                | 401 | 403 | 403 | 404
            GET                    | /api/checks              | 401 | 403 | 403 | 404
            GET                    | /api/instances           | 401 | 403 | 403 | 404
            POST                   | /api/instances/order-service | 401 | 403 | 403 | 404
            DELETE                 | /api/instances/1         | 401 | 403 | 403 | 404
            GET                    | /api/topic/partitions    | 401 | 403 | 403 | 404
            POST                   | /api/topic/partitions    | 401 | 403 | 403 | 404
            DELETE                 | /api/groups/payment-consumer-group | 401 | 403 | 403 | 404
            """)
    void a_role_may_what_the_table_says(
            String method, String path, int anonymous, int customer, int clerk, int operator) throws Exception {
        assertThat(status(method, path, new Visitor())).as("anonymous").isEqualTo(anonymous);
        assertThat(status(method, path, loggedIn("ann"))).as("a customer").isEqualTo(customer);
        assertThat(status(method, path, loggedIn("carl"))).as("a clerk").isEqualTo(clerk);
        assertThat(status(method, path, loggedIn("olga"))).as("an operator").isEqualTo(operator);
    }

    @Test
    void one_person_cannot_take_the_places_of_all_others() throws Exception {
        var bob = loggedIn("bob");
        var request = HttpRequest.newBuilder(Visitor.url("/api/events")).build();
        var open = new ArrayList<HttpResponse<InputStream>>();
        try {
            do {
                open.add(bob.http().send(request, BodyHandlers.ofInputStream()));
            } while (open.getLast().statusCode() == 200);

            assertThat(open.getLast().statusCode()).isEqualTo(503);
            assertThat(status("GET", "/api/events", loggedIn("olga"))).isEqualTo(200);
        } finally {
            for (var page : open) {
                page.body().close();
            }
        }
    }

    private static Visitor loggedIn(String person) throws Exception {
        var visitor = new Visitor();
        visitor.logIn(person, "%23/");
        return visitor;
    }

    /** Of a stream, too: its body is not waited for. */
    private static int status(String method, String path, Visitor visitor) throws Exception {
        var body = path.equals("/api/load") ? "{\"ratePerSecond\":1}" : "{\"partitions\":4}";
        var request = HttpRequest.newBuilder(Visitor.url(path))
                .header("X-Requested-By", "console")
                .header("Content-Type", "application/json")
                .method(method, method.equals("POST") ? BodyPublishers.ofString(body) : BodyPublishers.noBody())
                .build();
        var response = visitor.http().send(request, BodyHandlers.ofInputStream());
        response.body().close();
        return response.statusCode();
    }
}
