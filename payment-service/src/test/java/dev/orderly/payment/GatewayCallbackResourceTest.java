package dev.orderly.payment;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.testing.OrderTopic;
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

/**
 * The catalogue of bad callbacks, C01 to C30, as far as it needs the service; {@link GatewayCallbackSignaturesTest} has the signatures,
 * {@link CardPaymentTest} what comes after a cancellation (C20). That digests are compared in constant time (C30) no test could
 * tell from noise: it is left to {@link java.security.MessageDigest#isEqual}.
 */
@QuarkusTest
class GatewayCallbackResourceTest extends IntegrationTest {

    private static final String EVENT = """
            {"id":"%s","type":"payment.%s","merchant":"%s","paymentId":"%s",\
            "amount":{"amount":%d,"currency":"%s"},"createdAt":"2026-11-23T10:15:30Z"}""";

    @ConfigProperty(name = "orderly.gateway.callback-secrets")
    List<String> secrets;

    private final UUID order = OrderTopic.uuidV7();
    private final String event = "evt_" + UUID.randomUUID();

    @AfterEach
    void the_clock_is_right() {
        TestClock.off = Duration.ZERO;
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
    void what_is_not_signed_by_the_gateway_changes_nothing_and_learns_nothing()
            throws SQLException { // C01 C02 C03 C05 C17
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
    void two_signatures_of_which_one_is_ours_are_one_too_many() { // C26
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
    void a_callback_that_comes_again_is_acknowledged_and_changes_nothing() throws Exception { // C12 C13 C21
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
    void a_recording_is_refused_when_it_is_too_old_and_a_clock_may_be_a_little_wrong() { // C13 C29
        requested();
        var body = body("succeeded");
        var recorded = sign(secrets.getFirst(), body);

        TestClock.off = Duration.ofMinutes(10);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(401);
        TestClock.off = Duration.ofMinutes(-10);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(401);
        TestClock.off = Duration.ofMinutes(4);
        post(Optional.of(recorded), body.getBytes(UTF_8)).statusCode(200);
    }

    @Test
    void an_event_id_that_is_used_for_something_else_is_refused() throws SQLException { // C14
        requested();
        post(body("processing")).statusCode(200);

        post(body("succeeded")).statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(stored()).isEqualTo(1);
    }

    @Test
    void a_payment_that_is_not_there_yet_is_told_again() { // C15 C19
        post(body("succeeded")).statusCode(404);

        requested();

        post(body("succeeded")).statusCode(200);
        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @Test
    void a_callback_about_another_amount_currency_or_merchant_is_refused() throws SQLException { // C16
        requested();

        post(EVENT.formatted(event, "succeeded", "orderly", order, 3997, "EUR")).statusCode(400);
        post(EVENT.formatted(event, "succeeded", "orderly", order, 3998, "USD")).statusCode(400);
        post(EVENT.formatted(event, "succeeded", "somebody", order, 3998, "EUR"))
                .statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(stored()).isZero();
    }

    @Test
    void a_payment_from_the_balance_is_none_of_the_gateways_business() { // C16
        publish(reserved(order, customerWith(5000), 3998));

        post(body("refunded")).statusCode(400);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @Test
    void money_that_comes_after_all_is_given_back_whatever_was_said_before() throws SQLException { // C18
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
    void what_was_captured_is_not_declined_by_a_later_word() throws SQLException { // C18
        requested();
        post(body("evt_a" + order, "succeeded")).statusCode(200);

        post(body("evt_b" + order, "failed")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
    }

    @Test
    void a_refund_before_the_capture_waits_for_nothing_and_changes_nothing() throws SQLException { // C18
        requested();

        post(body("evt_a" + order, "refunded")).statusCode(200);

        assertThat(paymentStatus(order)).isEqualTo("REQUESTED");
        assertThat(published(order)).isEmpty();
    }

    @Test
    void a_callback_that_could_not_take_effect_is_not_kept_and_may_come_again() throws SQLException { // C23
        requested();
        try (var connection = database.getConnection();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            // Under way and never done: the capture of the same order must wait for it, and gives up.
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
    void among_a_crowd_of_forgeries_the_gateway_is_heard() throws Exception { // C22
        requested();
        var body = body("succeeded");
        var forged = sign("x".repeat(32), body);

        var told = new AtomicInteger();
        var answers = inParallel(
                100, // each of them twenty times, and one of them the gateway
                () -> told.getAndIncrement() == 50
                        ? List.of(post(body).extract().statusCode())
                        : Stream.generate(() -> post(Optional.of(forged), body.getBytes(UTF_8))
                                        .extract()
                                        .statusCode())
                                .limit(20)
                                .toList());

        assertThat(answers).filteredOn(List.of(200)::equals).hasSize(1);
        assertThat(answers)
                .filteredOn(statuses -> statuses.size() > 1)
                .hasSize(99)
                .allSatisfy(statuses -> assertThat(statuses).containsOnly(401));
        assertThat(paymentStatus(order)).isEqualTo("CAPTURED");
    }

    @ParameterizedTest // C28
    @ValueSource(strings = {"\"\\u0070ayment.succeeded\"", "\"payment.succeeded\""})
    void the_bytes_are_signed_and_the_meaning_counts(String type) {
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
    void what_is_signed_and_no_event_is_refused(String body) throws SQLException {
        post(body).statusCode(400);
    }

    @Test
    void a_type_that_cannot_be_kept_is_none() throws SQLException {
        requested();

        post(body("\\u0000")).statusCode(400);

        assertThat(stored()).isZero();
    }

    @Test
    void only_a_post_of_json_up_to_16_kilobytes_is_a_callback() { // C24 C25
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
    void a_body_that_is_compressed_is_not_what_was_signed() throws SQLException { // C24
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

    /** A payment of 39.98 EUR of which the gateway of the platform says nothing for an hour. */
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

    /** Of ours; the gateway of the platform has said itself that it is at it. */
    private long stored() throws SQLException {
        return sql().number("SELECT count(*) FROM gateway_callback WHERE event_id = ?", event);
    }
}
