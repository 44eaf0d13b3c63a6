package dev.orderly.payment;

import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.database.UuidV7;
import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
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
    void a_card_that_is_not_there_or_not_for_this_order_declines_it_with_a_reason_and_parks_nothing()
            throws SQLException {
        var customer = UUID.randomUUID();
        var foreign = leave(UUID.randomUUID(), "tok_ok");
        var expired = leave(customer, "tok_ok");
        sql().execute("UPDATE card SET expires_at = now() - interval '1 s' WHERE id = ?", expired);
        var refusals = new LinkedHashMap<UUID, String>();
        var orders = new ArrayList<OrderEvent>();
        for (var card : List.of(UUID.randomUUID(), foreign, expired)) {
            var id = UuidV7.next();
            refusals.put(id, card.equals(expired) ? "the card was left too long ago" : "unknown card");
            orders.add(byCard(id, customer, 3998, card));
        }

        publish(orders.toArray(OrderEvent[]::new));

        for (var refused : refusals.entrySet()) {
            payment(refused.getKey())
                    .body("status", equalTo("DECLINED"))
                    .body("method", equalTo("CARD"))
                    .body("reason", equalTo(refused.getValue()));
            assertThat(published(refused.getKey())).containsExactly("PaymentDeclined 1");
            assertThat(parked(refused.getKey().toString())).isEmpty();
            assertThat(journal(refused.getKey().toString())).isEmpty();
        }
        publish(byCard(order, owner(foreign), 3998, foreign));
        awaitStatus(order, "CAPTURED");
    }

    private UUID owner(UUID card) throws SQLException {
        return UUID.fromString(
                sql().strings("SELECT customer_id FROM card WHERE id = ?", card).getFirst());
    }

    @Test
    void a_card_is_charged_for_one_order_however_many_name_it() throws SQLException {
        var customer = UUID.randomUUID();
        var card = leave(customer, "tok_ok");
        var orders = Stream.generate(UuidV7::next).limit(6).toList();

        publish(orders.stream()
                .map(each -> record(byCard(each, customer, 1000, card)))
                .toList());

        await().until(() ->
                orders.stream().noneMatch(each -> paymentStatus(each).equals("REQUESTED")));
        assertThat(orders.stream().map(IntegrationTest::paymentStatus))
                .containsExactlyInAnyOrder("CAPTURED", "DECLINED", "DECLINED", "DECLINED", "DECLINED", "DECLINED");
        assertThat(orders.stream().map(each -> payment(each).extract().<String>path("reason")))
                .filteredOn(Objects::nonNull)
                .containsOnly("the card was left for another order");
    }

    @Test
    void a_card_is_left_as_it_is_by_an_order_that_is_cancelled_or_costs_nothing() throws SQLException {
        var customer = UUID.randomUUID();
        var card = leave(customer, "tok_ok");
        var cancelled = UuidV7.next();

        publish(cancelled(cancelled, customer));
        publish(byCard(cancelled, customer, 1000, card), byCard(UuidV7.next(), customer, 0, card));
        publish(byCard(order, customer, 1000, card));

        awaitStatus(order, "CAPTURED");
        assertThat(paymentStatus(cancelled)).isEqualTo("VOID");
    }

    @Test
    void an_order_of_the_release_before_brings_the_token_itself_and_is_paid() throws SQLException {
        publish(new StockReserved(
                order,
                UUID.randomUUID(),
                Money.of(3998, "EUR"),
                PaymentMethod.CARD,
                null,
                new CardToken("tok_ok"),
                Instant.now()));

        awaitStatus(order, "CAPTURED");
        assertThat(published(order)).containsExactly("PaymentCaptured 1");
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
