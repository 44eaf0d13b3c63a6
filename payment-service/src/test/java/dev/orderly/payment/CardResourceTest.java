package dev.orderly.payment;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import dev.orderly.database.UuidV7;
import io.quarkus.test.junit.QuarkusTest;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cards that are left, and where their tokens are from then on; {@link CardPaymentTest} pays by them. */
@QuarkusTest
class CardResourceTest extends IntegrationTest {

    private final UUID customer = UUID.randomUUID();
    private final UUID order = UuidV7.next();
    private final String key = UUID.randomUUID().toString();

    @Test
    void a_repeated_request_leaves_one_card_and_gets_the_same_answer_also_when_it_is_taken() throws Exception {
        var answers = inParallel(
                6,
                () -> leave(customer, "\"tok_ok\"", key)
                        .statusCode(201)
                        .extract()
                        .asString());
        assertThat(answers).containsOnly(answers.getFirst());
        var left = leave(customer, "\"tok_ok\"", key).body("customerId", equalTo(customer.toString()));
        var card = UUID.fromString(left.extract().path("id"));
        assertThat(Instant.parse(left.extract().path("expiresAt")))
                .isBetween(
                        Instant.now().plus(23, ChronoUnit.HOURS), Instant.now().plus(25, ChronoUnit.HOURS));
        assertThat(left.extract().asString()).doesNotContain("tok_");

        publish(byCard(order, customer, 1000, card));

        leave(customer, "\"tok_ok\"", key).statusCode(201).body("id", equalTo(card.toString()));
        assertProblem(leave(customer, "\"tok_declined\"", key), 422);
        assertThat(sql().number("SELECT count(*) FROM card WHERE customer_id = ?", customer))
                .isEqualTo(1);
    }

    @Test
    void a_key_is_that_of_one_customer() {
        var mine = leave(customer, "\"tok_ok\"", key).extract().<String>path("id");

        leave(UUID.randomUUID(), "\"tok_declined\"", key).statusCode(201);

        leave(customer, "\"tok_ok\"", key).body("id", equalTo(mine));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "\"\"",
                "\"visa\"",
                "4242424242424242",
                "\"4242424242424242\"",
                "\"4242-4242-4242-4242\"",
                "\"tok_4242424242424242\"",
                "\"tok_4242_4242_4242_4242\"",
            })
    void what_is_not_a_token_is_rejected_by_field_and_not_repeated_above_all_a_card_number(String token)
            throws SQLException {
        var answer = leave(customer, token, key);

        assertProblem(answer, 400, "cardToken");
        assertThat(answer.extract().asString()).doesNotContain("4242");
        assertThat(sql().number("SELECT count(*) FROM card WHERE customer_id = ?", customer))
                .isZero();
    }

    @Test
    void a_token_is_in_one_place_until_its_payment_has_been_settled_for_a_day_and_then_in_none() throws SQLException {
        // Of no other test, and the gateway knows it.
        var token = "tok_ok_%dm".formatted(ThreadLocalRandom.current().nextInt(1000, 10_000));
        var card = leave(customer, token);
        assertThat(tablesWith(token)).containsExactly("card");

        publish(byCard(order, customer, 1000, card));
        await().until(() -> paymentStatus(order).equals("CAPTURED"));
        sql().execute("SELECT apply_row_retention(1000)");
        assertThat(tablesWith(token)).containsExactly("payment");

        sql().execute("UPDATE payment SET occurred_at = now() - interval '3 days' WHERE order_id = ?", order);
        sql().execute("SELECT apply_row_retention(1000)");
        assertThat(tablesWith(token)).isEmpty();

        publish(cancelled(order, customer));
        await().until(() -> paymentStatus(order).equals("REFUNDED"));
        payment(order).body("method", equalTo("CARD"));
        assertThat(sql().strings("SELECT to_account FROM transfer WHERE order_id = ? AND kind = 'REFUND'", order))
                .as("a refund needs no token, and goes where the money came from")
                .containsExactly("gateway");
    }

    @Test
    void a_card_that_no_order_has_taken_is_deleted_when_it_expires() throws SQLException {
        var expired = leave(customer, "tok_ok");
        var valid = leave(customer, "tok_ok");
        sql().execute("UPDATE card SET expires_at = now() - interval '1 s' WHERE id = ?", expired);

        sql().execute("SELECT apply_row_retention(1000)");

        assertThat(sql().strings("SELECT id FROM card WHERE customer_id = ?", customer))
                .containsExactly(valid.toString());
    }

    /** Of all tables, those with a row that has a text in any column, also as bytes. */
    private List<String> tablesWith(String text) throws SQLException {
        var bytes = HexFormat.of().formatHex(text.getBytes(UTF_8));
        var found = new ArrayList<String>();
        for (var table : sql().strings("""
                SELECT relname FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                """)) {
            var rows = "SELECT count(*) FROM %s t WHERE position(? IN t::text) > 0 OR position(? IN t::text) > 0";
            if (sql().number(rows.formatted(table), text, bytes) > 0) {
                found.add(table);
            }
        }
        return found;
    }
}
