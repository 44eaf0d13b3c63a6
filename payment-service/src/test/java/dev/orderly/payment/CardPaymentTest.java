package dev.orderly.payment;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.database.UuidV7;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

/** Payments by card with the gateway simulator, whose behaviour depends on the token. */
@QuarkusTest
class CardPaymentTest extends IntegrationTest {

    @ConfigProperty(name = "orderly.gateway.url")
    String gateway;

    @ConfigProperty(name = "orderly.gateway.api-key")
    String apiKey;

    private final UUID order = UuidV7.next();

    @Test
    void a_good_card_is_captured_and_its_token_is_not_shown() throws SQLException {
        publish(byCard(order, 3998, "tok_ok"));

        awaitStatus(order, "CAPTURED");
        payment(order).body("method", equalTo("CARD")).body("card", nullValue()).body("cardToken", nullValue());
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
        assertThat(sql().strings("""
                        SELECT from_account || ' ' || to_account || ' ' || amount
                        FROM transfer WHERE order_id = ?
                        """, order)).containsExactly("gateway merchant 3998");
    }

    @Test
    void a_bad_card_is_declined_with_the_banks_reason() throws SQLException {
        var unknown = UuidV7.next();
        publish(byCard(order, 3998, "tok_declined"), byCard(unknown, 1, "tok_unknown"));

        awaitStatus(order, "DECLINED");
        awaitStatus(unknown, "DECLINED");
        assertThat(payment(order).extract().<String>path("reason")).startsWith("card declined");
        assertThat(published(order)).containsExactly("PaymentDeclined 1");
        assertThat(sql().strings("SELECT kind FROM transfer WHERE order_id IN (?, ?)", order, unknown))
                .isEmpty();
    }

    @Test
    void however_the_gateway_behaves_a_card_is_captured_once_and_both_sides_agree() throws SQLException {
        var orders = new LinkedHashMap<UUID, String>();
        for (var token : List.of(
                "tok_slow_2s",
                "tok_late_1h",
                "tok_never",
                "tok_hang",
                "tok_error",
                "tok_unavailable",
                "tok_early",
                "tok_duplicate",
                "tok_shuffled",
                "tok_forged",
                "tok_rotated")) {
            orders.put(UuidV7.next(), token);
        }

        publish(orders.entrySet().stream()
                .map(each -> record(byCard(each.getKey(), 1000, each.getValue())))
                .toList());

        for (var each : orders.entrySet()) {
            awaitStatus(each.getKey(), "CAPTURED");
            assertThat(published(each.getKey())).as(each.getValue()).containsExactly("PaymentCaptured 1");
            assertThat(sql().strings("SELECT kind FROM transfer WHERE order_id = ?", each.getKey()))
                    .as(each.getValue())
                    .containsExactly("CAPTURE");
            assertThat(journal(each.getKey(), "payment.succeeded"))
                    .as(each.getValue())
                    .hasSize(1);
        }
        assertThat(journal("\"acceptedForgery\""))
                .as("forgeries that were acknowledged")
                .isEmpty();
    }

    @Test
    void an_order_cancelled_while_the_gateway_is_processing_is_refunded_after_the_capture() throws SQLException {
        var reserved = byCard(order, 3998, "tok_slow_3s");
        publish(reserved);

        publish(cancelled(order, reserved.customerId()));

        awaitStatus(order, "REFUNDED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1", "PaymentRefunded 2");
        assertThat(sql().strings("SELECT kind FROM transfer WHERE order_id = ? ORDER BY id", order))
                .containsExactly("CAPTURE", "REFUND");
        assertThat(journal(order, "payment.refunded")).hasSize(1);
    }

    @Test
    void an_order_cancelled_after_the_capture_is_refunded_at_the_gateway() throws SQLException {
        var reserved = byCard(order, 3998, "tok_ok");
        publish(reserved);
        awaitStatus(order, "CAPTURED");

        publish(cancelled(order, reserved.customerId()));

        awaitStatus(order, "REFUNDED");
        assertThat(journal(order, "payment.refunded")).hasSize(1);
        assertThat(published(order)).containsExactly("PaymentCaptured 1", "PaymentRefunded 2");
    }

    @Test
    void an_order_cancelled_before_the_first_call_is_never_captured() throws SQLException {
        var reserved = byCard(order, 3998, "tok_unavailable");
        publish(List.of(record(reserved), record(cancelled(order, reserved.customerId()))));

        awaitStatus(order, "VOID");
        assertThat(journal(order, "payment.succeeded")).isEmpty();
        assertThat(published(order)).isEmpty();
    }

    private static void awaitStatus(UUID order, String status) {
        await().atMost(ofSeconds(40))
                .untilAsserted(() -> payment(order).statusCode(200).body("status", equalTo(status)));
    }

    private List<String> journal(UUID order, String what) {
        return journal(order.toString()).stream()
                .filter(line -> line.contains(what))
                .toList();
    }

    private List<String> journal(String what) {
        return RestAssured.given()
                .header("Authorization", "Bearer " + apiKey)
                .get(gateway + "/log")
                .then()
                .statusCode(200)
                .extract()
                .asString()
                .lines()
                .filter(line -> line.contains(what))
                .toList();
    }
}
