package dev.orderly;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.nullValue;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import java.net.URI;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a service shows to those who only reach its API, and what its answers say besides what was asked. */
@QuarkusTest
class ExposureTest extends IntegrationTest {

    @TestHTTPResource(management = true)
    URI management;

    @ParameterizedTest
    @ValueSource(strings = {"health", "health/ready", "health/live", "metrics", "openapi", "swagger-ui/"})
    void how_the_service_is_and_how_it_is_made_is_said_at_the_management_port_alone(String path) {
        given().get(management.resolve(path)).then().statusCode(200);

        assertProblem(given().get("/q/" + path).then(), 404);
    }

    @Test
    void the_api_is_not_at_the_management_port() {
        given().get(management.resolve("/products")).then().statusCode(404);
        given().get(management.resolve("openapi")).then().body(containsString("/products"));
    }

    @Test
    void no_answer_may_be_cached_or_guessed_at_or_names_the_server() {
        assertBare(given().get("/products").then().statusCode(200));
        assertBare(given().get("/orders/" + UUID.randomUUID()).then().statusCode(404));
        assertBare(given().body(new byte[70_000]).post("/orders").then().statusCode(413)); // before any resource
        assertBare(given().delete("/products").then().statusCode(405));
    }

    private static void assertBare(ValidatableResponse answer) {
        answer.header("X-Content-Type-Options", "nosniff")
                .header("Cache-Control", "no-store")
                .header("Server", nullValue())
                .header("X-Powered-By", nullValue());
    }

    @Test
    void no_other_origin_is_let_in() {
        var origin = given().header("Origin", "https://shop.example");

        origin.get("/products").then().header("Access-Control-Allow-Origin", nullValue());
        origin.header("Access-Control-Request-Method", "POST")
                .options("/orders")
                .then()
                .header("Access-Control-Allow-Origin", nullValue())
                .header("Access-Control-Allow-Methods", nullValue());
    }

    @Test
    void the_documents_of_the_api_do_not_offer_to_send_requests() {
        given().get(management.resolve("swagger-ui/")).then().body(not(containsString("'post'")));
    }
}
