package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.database.UuidV7;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.response.ValidatableResponse;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forged, replayed, inconsistent and malformed callbacks; see also {@link GatewayCallbackSignaturesTest}. */
@QuarkusTest
class GatewayCallbackResourceTest extends IntegrationTest {

    private static final String EVENT = """
            {"id":"%s","type":"payment.%s","merchant":"%s","paymentId":"%s",\
            "amount":{"amount":%d,"currency":"%s"},"createdAt":"2026-11-23T10:15:30Z"}""";

    @ConfigProperty(name = "orderly.gateway.callback-secrets")
    List<String> secrets;

    private final UUID order = UuidV7.next();
    private final String event = "evt_" + UUID.randomUUID();

    @AfterEach
    void reset_the_clock() {
        TestClock.offset = Duration.ZERO;
    }

    @Test
    void a_callback_settles_the_payment_before_it_is_acknowledged() throws SQLException {
        requested();

        post(body("succeeded")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(stored()).isEqualTo(1);
    }

    @Test
    void a_callback_that_the_gateway_did_not_sign_changes_nothing_and_learns_nothing() throws SQLException {
        requested();
        var body = body("succeeded");

        for (var signature : List.of(
                "", "t=1", sign("x".repeat(32), body), sign(secrets.getFirst(), body + " "), "x".repeat(2000))) {
            post(Optional.of(signature), body.getBytes(UTF_8)).statusCode(401).body("detail", nullValue());
        }
        post(Optional.empty(), body.getBytes(UTF_8)).statusCode(401).body("title", equalTo("Unauthorized"));

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(stored()).isZero();
    }

    @Test
    void two_signature_headers_are_rejected_even_if_one_is_valid() {
        requested();
        var body = body("succeeded");

        RestAssured.given()
                .contentType("application/json")
                .header(GatewayCallbackResource.SIGNATURE, sign(secrets.getFirst(), body), "t=1,v1=" + "0".repeat(64))
                .body(body.getBytes(UTF_8))
                .post("/payments/callbacks")
                .then()
                .statusCode(401);
    }

    @Test
    void a_duplicate_callback_is_acknowledged_and_changes_nothing() throws Exception {
        requested();
        var body = body("succeeded");

        assertThat(inParallel(5, () -> post(body).extract().statusCode())).containsOnly(200);
        post(body).statusCode(200);

        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(sql().strings("SELECT kind FROM transfer WHERE order_id = ?", order))
                .containsExactly("CAPTURE");
        assertThat(stored()).isEqualTo(1);
    }

    @Test
    void a_replay_is_rejected_after_the_tolerance_for_clock_skew() {
        requested();
        var body = body("succeeded");
        var recorded = sign(secrets.getFirst(), body);

        TestClock.offset = Duration.ofMinutes(10);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(401);
        TestClock.offset = Duration.ofMinutes(-10);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(401);
        TestClock.offset = Duration.ofMinutes(4);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(200);
    }

    @Test
    void a_used_event_id_with_another_body_is_rejected() throws SQLException {
        requested();
        post(body("processing")).statusCode(200);

        post(body("succeeded")).statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(stored()).isEqualTo(1);
    }

    @Test
    void a_callback_that_overtakes_its_payment_is_applied_when_it_is_delivered_again() {
        post(body("succeeded")).statusCode(404);

        requested();

        post(body("succeeded")).statusCode(200);
        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @Test
    void a_callback_with_another_amount_currency_or_merchant_is_rejected() throws SQLException {
        requested();

        post(EVENT.formatted(event, "succeeded", "orderly", order, 3997, "EUR")).statusCode(400);
        post(EVENT.formatted(event, "succeeded", "orderly", order, 3998, "USD")).statusCode(400);
        post(EVENT.formatted(event, "succeeded", "another", order, 3998, "EUR")).statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(stored()).isZero();
    }

    @Test
    void a_callback_about_a_payment_from_the_balance_is_rejected() {
        publish(reserved(order, customerWith(5000), 3998));

        post(body("refunded")).statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @Test
    void a_capture_after_a_decline_is_refunded() throws SQLException {
        requested();
        post(body("evt_a" + order, "failed")).statusCode(200);
        assertThat(paymentStatus(order)).isEqualTo("DECLINED");

        post(body("evt_b" + order, "succeeded")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("REFUNDING");
        assertThat(published(order)).containsExactly("PaymentDeclined 1", "PaymentCaptured 2");
        post(body("evt_c" + order, "refunded")).statusCode(200);
        assertThat(published(order)).containsExactly("PaymentDeclined 1", "PaymentCaptured 2", "PaymentRefunded 3");
    }

    @Test
    void a_captured_payment_is_not_declined_by_a_later_callback() throws SQLException {
        requested();
        post(body("evt_a" + order, "succeeded")).statusCode(200);

        post(body("evt_b" + order, "failed")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
    }

    @Test
    void a_refund_before_the_capture_changes_nothing() throws SQLException {
        requested();

        post(body("evt_a" + order, "refunded")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(published(order)).isEmpty();
    }

    @Test
    void a_callback_that_cannot_take_effect_is_not_stored_and_may_be_delivered_again() throws SQLException {
        requested();
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            // Uncommitted: the capture of the same order waits for it until its timeout.
            statement.execute("""
                    INSERT INTO transfer (kind, from_account, to_account, amount, currency, order_id, occurred_at)
                    VALUES ('CAPTURE', 'gateway', 'merchant', 3998, 'EUR', '%s', now())
                    """.formatted(order));

            post(body("succeeded")).statusCode(503).header("Retry-After", "1");
            assertThat(stored()).isZero();
            connection.rollback();
        }

        post(body("succeeded")).statusCode(200);

        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(stored()).isEqualTo(1);
    }

    @Test
    void a_burst_of_forgeries_does_not_block_the_gateway() throws Exception {
        requested();
        var body = body("succeeded");
        var forged = sign("x".repeat(32), body);

        var calls = new AtomicInteger();
        var responses = inParallel(
                100, // Each posts 20 forgeries, but one posts the valid callback.
                () -> calls.getAndIncrement() == 50
                        ? List.of(post(body).extract().statusCode())
                        : Stream.generate(() -> post(Optional.of(forged), body.getBytes(UTF_8))
                                        .extract()
                                        .statusCode())
                                .limit(20)
                                .toList());

        assertThat(responses).filteredOn(List.of(200)::equals).hasSize(1);
        assertThat(responses)
                .filteredOn(statuses -> statuses.size() > 1)
                .hasSize(99)
                .allSatisfy(statuses -> assertThat(statuses).containsOnly(401));
        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\\u0070ayment.succeeded\"", "\"payment.succeeded\""})
    void other_encodings_of_the_same_event_are_equivalent(String type) {
        requested();

        post(body("succeeded").replace("\"payment.succeeded\"", type)).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "{\"id\":1}",
                "not json",
                "{\"id\":\"evt\",\"type\":\"payment.succeeded\"}"
            })
    void a_signed_body_that_is_no_event_is_rejected(String body) throws SQLException {
        post(body).statusCode(400);
    }

    @Test
    void a_type_that_cannot_be_stored_is_rejected() throws SQLException {
        requested();

        post(body("\\u0000")).statusCode(400);

        assertThat(stored()).isZero();
    }

    @Test
    void only_a_post_of_json_up_to_16_kilobytes_is_a_callback() {
        var large = body("succeeded") + " ".repeat(16 * 1024);
        post(large).statusCode(413);
        RestAssured.given().get("/payments/callbacks").then().statusCode(405);
        RestAssured.given()
                .body("{}")
                .contentType("application/json")
                .put("/payments/callbacks")
                .then()
                .statusCode(405);
        RestAssured.given()
                .multiPart("file", "x")
                .post("/payments/callbacks")
                .then()
                .statusCode(415);
    }

    @Test
    void a_compressed_body_is_rejected() throws SQLException {
        requested();
        var body = body("succeeded");
        RestAssured.given()
                .contentType("application/json")
                .header("Content-Encoding", "gzip")
                .header(GatewayCallbackResource.SIGNATURE, sign(secrets.getFirst(), body))
                .body(new byte[] {31, -117, 8, 0, 0, 0, 0, 0})
                .post("/payments/callbacks")
                .then()
                .statusCode(401);
        assertThat(stored()).isZero();
    }

    /** A payment of 39.98 EUR that the gateway simulator takes an hour to process. */
    private void requested() {
        publish(byCard(order, 3998, "tok_slow_1h"));
        await().atMost(ofSeconds(10)).until(() -> paymentStatus(order).equals("REQUESTED"));
    }

    private String body(String type) {
        return body(event, type);
    }

    private String body(String id, String type) {
        return EVENT.formatted(id, type, "orderly", order, 3998, "EUR");
    }

    private static String sign(String secret, String body) {
        return GatewayCallbackSignaturesTest.header(
                secret, Instant.ofEpochMilli(System.currentTimeMillis()).getEpochSecond(), body.getBytes(UTF_8));
    }

    private ValidatableResponse post(String body) {
        return post(Optional.of(sign(secrets.getFirst(), body)), body.getBytes(UTF_8));
    }

    private static ValidatableResponse post(Optional<String> signature, byte[] body) {
        var request = RestAssured.given()
                .config(RestAssuredConfig.config()
                        .encoderConfig(EncoderConfig.encoderConfig()
                                .appendDefaultContentCharsetToContentTypeIfUndefined(false)))
                .contentType("application/json")
                .body(body);
        signature.ifPresent(value -> request.header(GatewayCallbackResource.SIGNATURE, value));
        return request.post("/payments/callbacks").then();
    }

    /** How many callbacks of this test are stored; the gateway simulator sends its own. */
    private long stored() throws SQLException {
        return sql().number("SELECT count(*) FROM gateway_callback WHERE event_id = ?", event);
    }
}
