package dev.orderly.order;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testing.Sql;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;

/** What the tests of bad requests have in common. */
final class OrderRequests {

    static final String CUSTOMER = UUID.randomUUID().toString();

    /** One mug, by {@link #CUSTOMER}. */
    static final String ORDER =
            "{\"customerId\":\"%s\",\"lines\":[{\"sku\":\"mug\",\"quantity\":1}],\"paymentMethod\":\"BALANCE\"}"
                    .formatted(CUSTOMER);

    private OrderRequests() {}

    /** Puts a product into the catalogue. */
    static void offer(String sku, long price) {
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"A %s\",\"price\":{\"amount\":%d,\"currency\":\"EUR\"}}".formatted(sku, price))
                .put("/products/{sku}", sku)
                .then()
                .statusCode(200);
    }

    static String key() {
        return UUID.randomUUID().toString();
    }

    static Response post(String body) {
        return post(body.getBytes(UTF_8), Map.of());
    }

    /**
     * Posts an order byte for byte.
     *
     * @param headers in addition to media type and key, or instead of them; without a value a header is not
     *     sent
     */
    static Response post(byte[] body, Map<String, String> headers) {
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

    /** An answer names no class, no library and no statement of the service. */
    static void assertHidesInternals(String answer) {
        assertThat(answer)
                .doesNotContain(
                        "Exception", "\tat ", "dev.orderly", "fasterxml", "jakarta", "io.quarkus", "SQL", "all is lost")
                .hasSizeLessThan(2_000);
    }

    /** The rows that orders leave behind. */
    static String rows(Sql sql) throws SQLException {
        return "orders %d, keys %d, events %d"
                .formatted(
                        sql.number("SELECT count(*) FROM orders"),
                        sql.number("SELECT count(*) FROM order_key"),
                        sql.number("SELECT count(*) FROM outbox WHERE type = 'OrderPlaced'"));
    }
}
