package dev.orderly.order;

import static dev.orderly.order.OrderRequests.CUSTOMER;
import static dev.orderly.order.OrderRequests.ORDER;
import static dev.orderly.order.OrderRequests.assertHidesInternals;
import static dev.orderly.order.OrderRequests.key;
import static dev.orderly.order.OrderRequests.offer;
import static dev.orderly.order.OrderRequests.post;
import static dev.orderly.order.OrderRequests.rows;
import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.IntegrationTest;
import dev.orderly.testing.HostileRequests;
import dev.orderly.testing.Tokens;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests that are well-formed HTTP and not acceptable: a problem document names what is wrong, hides the
 * internals of the service, and no row is left. What is odd but acceptable is done as it says.
 * {@link MalformedHttpTest} has what no HTTP client sends; keys that are used twice are in
 * {@link OrderResourceTest}, sales in FlashSaleTest, queries in OrderViewResourceTest, amounts of money in
 * AccountResourceTest of payment-service.
 */
@QuarkusTest
class BadRequestsTest extends IntegrationTest {

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @TestHTTPResource("/")
    URI service;

    private static final Pattern REPEATED = Pattern.compile("<([^<>]+)\\*(\\d+)>");
    private static final Pattern BYTE = Pattern.compile("\\\\x([0-9A-F]{2})");

    @BeforeEach
    void catalogue() {
        offer("mug", 1999);
        offer("dear", Long.MAX_VALUE);
    }

    @ParameterizedTest(name = "{0}")
    @CsvFileSource(resources = "/bad-orders.csv", delimiter = '|', quoteCharacter = '`')
    void a_bad_order_is_rejected_by_a_problem_and_leaves_no_row(
            String name, String header, String body, int status, String field) throws SQLException {
        var before = rows(sql());

        var answer = post(bytes(body), header(header));

        assertProblemThatHidesInternals(answer, status);
        if (field != null) {
            assertThat(answer.<List<String>>path("errors.field"))
                    .as(answer.asString())
                    .contains(field);
        }
        assertThat(rows(sql())).isEqualTo(before);
    }

    static Stream<Arguments> oddOrders() {
        return Stream.of(
                Arguments.of("a byte order mark", null, ("\ufeff" + ORDER).getBytes(UTF_8)),
                Arguments.of("UTF-16", null, ORDER.getBytes(UTF_16)),
                Arguments.of(
                        "a product twice",
                        null,
                        bytes("LINES [{\"sku\":\"mug\",\"quantity\":1},{\"sku\":\"mug\",\"quantity\":1}]")),
                Arguments.of(
                        "a charset that JSON does not have",
                        "Content-Type: application/json; charset=utf-7",
                        bytes("ORDER")),
                Arguments.of("a header of 9 KB", "X-Long: <x*9216>", bytes("ORDER")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("oddOrders")
    void an_odd_order_means_what_it_says(String name, String header, byte[] body) {
        var headers = new HashMap<>(header(header));
        headers.put("Authorization", "Bearer " + Tokens.ofAllRoles(CUSTOMER)); // the usual one is by a body in UTF-8

        var answer = post(body, headers);

        assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(202);
        assertThat(answer.<String>path("customerId")).isEqualTo(CUSTOMER);
        assertThat(answer.<List<String>>path("lines.sku")).containsOnly("mug");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\\u0000", "a\\ud800"})
    void a_name_that_cannot_be_stored_is_rejected(String name) {
        var answer = given().contentType(ContentType.JSON)
                .body("{\"name\":\"%s\",\"price\":{\"amount\":1,\"currency\":\"EUR\"}}".formatted(name))
                .put("/products/nameless");

        assertProblemThatHidesInternals(answer, 400);
        assertThat(answer.<List<String>>path("errors.field")).containsExactly("name");
        assertThat(given().get("/products/nameless").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUT", "PATCH", "DELETE", "TRACE"})
    void other_methods_are_not_allowed(String method) throws SQLException {
        var before = rows(sql());

        var answer = given().header("Idempotency-Key", key()).request(method, "/orders");

        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(rows(sql())).isEqualTo(before);
    }

    @Test
    void what_finds_no_resource_method_says_why() {
        assertThat(given().get("/orders/17").<String>path("detail")).isEqualTo("There is nothing under this path.");
        assertThat(given().get("/nothing").<String>path("detail")).isEqualTo("There is nothing under this path.");
        assertThat(given().delete("/orders").<String>path("detail")).isEqualTo("This path does not take this method.");
        assertThat(given().accept("image/png").get("/products").<String>path("detail"))
                .isEqualTo("Nothing can be returned in a media type that Accept allows.");
        assertThat(given().contentType("text/csv").body("a,b").post("/orders").<String>path("detail"))
                .isEqualTo("This path does not take a body of this Content-Type.");
    }

    @Test
    void a_method_in_a_header_is_ignored() {
        var answer = post(bytes("ORDER"), Map.of("X-HTTP-Method-Override", "DELETE"));

        assertThat(answer.statusCode()).isEqualTo(202);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "17",
                "00000000-0000-0000-0000-000000000000",
                "..%2F..%2Forders",
                "%00",
                "0198c6a2-0000-7000-8000-00000000000g",
                "0198c6a2-0000-7000-8000-000000000001;jsessionid=1"
            })
    void no_order_is_found_by_an_invalid_or_unknown_id(String id) {
        for (var answer : List.of(
                given().urlEncodingEnabled(false).post("/orders/" + id + "/cancel"),
                given().urlEncodingEnabled(false).get("/orders/" + id))) {
            assertThat(answer.statusCode()).as(answer.asString()).isIn(400, 404);
            assertHidesInternals(answer.asString());
        }
    }

    @Test
    void forged_headers_of_host_and_proxy_are_ignored() {
        var answer = post(
                bytes("ORDER"),
                Map.of(
                        "Host",
                        "evil.example",
                        "X-Forwarded-For",
                        "10.0.0.1",
                        "X-Forwarded-Host",
                        "evil.example",
                        "Forwarded",
                        "host=evil.example"));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.header("Location")).startsWith("/orders/");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "00-00000000000000000000000000000000-0000000000000000-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-more",
                "<0*8192>"
            })
    void an_invalid_trace_is_replaced_by_a_new_one(String traceparent) throws SQLException {
        var answer = post(bytes("ORDER"), Map.of("traceparent", repeat(traceparent)));

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(sql().number(
                                "SELECT count(*) FROM outbox WHERE key = ?"
                                        + " AND traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-00$'"
                                        + " AND traceparent !~ '4bf92f3577b34da6a3ce929d0e0e4736|0{32}'",
                                answer.<String>path("id")))
                .isEqualTo(1);
    }

    private static void assertProblemThatHidesInternals(Response answer, int status) {
        assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(status);
        assertProblem(answer.then(), status);
        assertThat(answer.<String>path("title")).isNotBlank();
        assertHidesInternals(answer.asString());
    }

    /** A header as bad-orders.csv has it. */
    private static Map<String, String> header(String header) {
        if (header == null) {
            return Map.of();
        }
        var parts = header.split(":", 2);
        return Map.of(parts[0], repeat(parts[1].strip()));
    }

    /** A body as bad-orders.csv has it. */
    private static byte[] bytes(String body) {
        var json = body == null ? "" : body;
        json = json.replaceFirst("^LINE (.*)", "LINES [$1]").replace("CUSTOMER", CUSTOMER);
        if (json.startsWith("LINES ")) {
            json = ORDER.replaceFirst("\\[.*]", Matcher.quoteReplacement(json.substring("LINES ".length())));
        } else if (json.startsWith("ORDER + ")) {
            json = ORDER.replaceFirst("\\{", Matcher.quoteReplacement("{" + json.substring("ORDER + ".length()) + ","));
        } else {
            json = json.replace("ORDER", ORDER);
        }
        var text = repeat(json);
        var bytes = new ByteArrayOutputStream();
        var end = 0;
        for (var single = BYTE.matcher(text); single.find(); end = single.end()) {
            bytes.writeBytes(text.substring(end, single.start()).getBytes(UTF_8));
            bytes.write(Integer.parseInt(single.group(1), 16));
        }
        bytes.writeBytes(text.substring(end).getBytes(UTF_8));
        return bytes.toByteArray();
    }

    private static String repeat(String text) {
        return REPEATED.matcher(text)
                .replaceAll(repeated ->
                        Matcher.quoteReplacement(repeated.group(1).repeat(Integer.parseInt(repeated.group(2)))));
    }

    @Test
    void no_request_makes_the_service_fail_or_does_half_of_what_it_asked_for() throws SQLException {
        HostileRequests.assertAllAreHandled(service, openApi, sql(), "POST /order-view/rebuild");
    }
}
