package dev.orderly.payment;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.endsWith;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.notNullValue;
import static org.hamcrest.Matchers.nullValue;

import dev.orderly.testing.HostileRequests;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.net.URI;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class AccountResourceTest extends IntegrationTest {

    @TestHTTPResource(value = "/openapi?format=json", management = true)
    URI openApi;

    @TestHTTPResource("/")
    URI service;

    private final UUID customer = UUID.randomUUID();

    @Test
    void a_deposit_opens_an_account() {
        deposit(customer, 5000)
                .statusCode(201)
                .body("transfer", notNullValue())
                .body("amount.amount", equalTo(5000))
                .body("balance.amount", equalTo(5000))
                .body("balance.currency", equalTo("EUR"))
                .body("occurredAt", notNullValue());

        account(customer)
                .statusCode(200)
                .body("customerId", equalTo(customer.toString()))
                .body("balances", hasSize(1))
                .body("balances[0].amount", equalTo(5000))
                .body("balances[0].currency", equalTo("EUR"))
                .body("entries", hasSize(1))
                .body("entries[0].kind", equalTo("DEPOSIT"))
                .body("entries[0].amount", equalTo(5000))
                .body("entries[0].currency", equalTo("EUR"))
                .body("entries[0].orderId", nullValue());
    }

    @Test
    void an_account_has_a_balance_per_currency() {
        deposit(customer, 5000).body("balance.amount", equalTo(5000));
        deposit(customer, "{\"amount\":{\"amount\":700,\"currency\":\"JPY\"}}").body("balance.amount", equalTo(700));
        deposit(customer, 1).body("balance.amount", equalTo(5001));

        account(customer)
                .body("balances.currency", equalTo(List.of("EUR", "JPY")))
                .body("balances.amount", equalTo(List.of(5001, 700)));
    }

    @Test
    void a_statement_shows_the_last_50_entries_newest_first() {
        for (var cents = 1; cents <= 51; cents++) {
            deposit(customer, cents).statusCode(201);
        }

        account(customer)
                .body("entries", hasSize(50))
                .body("entries[0].amount", equalTo(51))
                .body("entries[49].amount", equalTo(2));
    }

    @Test
    void a_customer_who_never_deposited_has_no_account() {
        assertProblem(account(customer), 404).body("title", equalTo("Not Found"));
    }

    @Test
    void an_unknown_order_has_no_payment() {
        assertProblem(payment(UUID.randomUUID()), 404);
    }

    @Test
    void a_malformed_id_is_not_found() {
        assertProblem(given().get("/accounts/42").then(), 404);
        assertProblem(given().get("/payments/42").then(), 404);
    }

    @Test
    void deposits_under_as_many_keys_are_made_each() throws Exception {
        inParallel(50, () -> deposit(customer, 10).statusCode(201));

        assertThat(balance(customer)).isEqualTo(500);
    }

    @Test
    void a_deposit_without_a_key_is_rejected() {
        assertProblem(depositWithKey(null, 10).then(), 400)
                .body("errors[0].message", equalTo("the header Idempotency-Key is required"));

        account(customer).statusCode(404);
    }

    /** A key may be anything, and the ledger is never erased. */
    @Test
    void a_key_is_stored_as_a_hash_only_also_by_an_instance_of_the_version_before() throws SQLException {
        depositWithKey("ann@shop.example", 10).then().statusCode(201);
        var oldStatement = """
                INSERT INTO transfer
                    (kind, from_account, to_account, amount, currency, customer_balance, idempotency_key, occurred_at)
                VALUES ('DEPOSIT', 'bank', 'customer:' || ?, 0, 'EUR', 10, ?, now())
                """;
        sql().execute(oldStatement, customer, "old@shop.example");

        assertThatThrownBy(() -> sql().execute(oldStatement, customer, "ann@shop.example"))
                .hasMessageContaining("deposit_once_per_key");
        assertThat(sql().strings("SELECT transfer::text FROM transfer WHERE to_account = ?", "customer:" + customer))
                .hasSize(2)
                .noneMatch(row -> row.contains("@"));
        assertProblem(depositWithKey("old@shop.example", 10).then(), 422);
    }

    @Test
    void a_deposit_that_is_repeated_with_its_key_is_made_once_and_gets_the_same_response() {
        var first = depositWithKey("k-1", 10);
        depositWithKey("k-2", 5);
        var second = depositWithKey("k-1", 10);

        assertThat(second.statusCode()).isEqualTo(201);
        assertThat(second.asString()).isEqualTo(first.asString());
        assertThat(balance(customer)).isEqualTo(15);
    }

    @Test
    void a_deposit_is_in_the_audit_once_however_often_it_is_asked_for() throws SQLException {
        depositWithKey("k-1", 10);
        depositWithKey("k-1", 10).then().statusCode(201);
        assertProblem(depositWithKey("k-1", 11).then(), 422);

        assertThat(sql().strings("SELECT command FROM command_audit WHERE target = ?", "account " + customer))
                .containsExactly("deposit 10 EUR");
    }

    @Test
    void fifty_concurrent_requests_with_one_key_make_one_deposit() throws Exception {
        var responses = inParallel(50, () -> depositWithKey("impatient", 10));

        assertThat(responses.stream().map(Response::statusCode)).containsOnly(201);
        assertThat(responses.stream().map(Response::asString).collect(toSet())).hasSize(1);
        assertThat(balance(customer)).isEqualTo(10);
    }

    @Test
    void a_used_key_with_another_amount_is_rejected() {
        depositWithKey("k-1", 10);

        assertProblem(depositWithKey("k-1", 11).then(), 422);

        assertThat(balance(customer)).isEqualTo(10);
    }

    @Test
    void a_key_belongs_to_one_customer() {
        depositWithKey("k-1", 10);

        var another = UUID.randomUUID();
        given().contentType(JSON)
                .header("Idempotency-Key", "k-1")
                .body("{\"amount\":{\"amount\":11,\"currency\":\"EUR\"}}")
                .post("/accounts/{customerId}/deposits", another)
                .then()
                .statusCode(201);

        assertThat(balance(customer)).isEqualTo(10);
        assertThat(balance(another)).isEqualTo(11);
    }

    @Test
    void a_key_has_up_to_255_printable_characters() {
        assertThat(depositWithKey("~".repeat(255), 10).statusCode()).isEqualTo(201);

        for (var key : List.of("~".repeat(256), "a space", "tab\tbed")) {
            assertProblem(depositWithKey(key, 10).then(), 400)
                    .body("errors[0].message", endsWith("must be 1 to 255 printable ASCII characters without spaces"));
        }
        assertProblem(depositWithKey("", 10).then(), 400);
        assertThat(balance(customer)).isEqualTo(10);
    }

    @Test
    void the_largest_deposit_is_a_hundred_million() {
        deposit(customer, 100_000_000_00L).statusCode(201);

        assertProblem(deposit(customer, 100_000_000_01L), 400, "amount.amount");
        assertThat(balance(customer)).isEqualTo(100_000_000_00L);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "1",
                "\"x\"",
                "{",
                "{}",
                "{}{}",
                "{\"amount\":null}",
                "{\"amount\":5000}",
                "{\"amount\":[]}",
                "{\"amount\":{}}",
                "{\"amount\":{\"amount\":5000}}",
                "{\"amount\":{\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":0,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":-1,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":-0,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":1.5,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":1.0,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":1e3,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":1e400,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":NaN,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":\"5000\",\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":\"\",\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":true,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":null,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":{},\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":9223372036854775807,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":9223372036854775808,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":null}}",
                "{\"amount\":{\"amount\":5000,\"currency\":978}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"eur\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"EURO\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"ZZZ\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"XXX\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"\\u0000\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"EUR\"},\"tip\":1}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"EUR\",\"tip\":1}}",
                "{\"amount\":{\"amount\":5000,\"amount\":1,\"currency\":\"EUR\"}}",
                "{\"amount\":{\"amount\":5000,\"currency\":\"EUR\"}} trailing",
                "{\"amount\":{\"amount\":5000,\"currency\":\"EUR\"}"
            })
    void an_invalid_deposit_is_rejected(String body) {
        assertProblem(deposit(customer, body), 400).body("title", equalTo("Bad Request"));

        account(customer).statusCode(404);
    }

    @Test
    void a_deposit_in_another_format_is_rejected() {
        var response = given().contentType("text/xml")
                .header("Idempotency-Key", "k-1")
                .body("<amount/>")
                .post("/accounts/{customerId}/deposits", customer);

        assertProblem(response.then(), 415);
    }

    @Test
    void absurdly_large_and_deep_bodies_are_rejected() {
        var hugeNumber = "{\"amount\":{\"amount\":" + "9".repeat(10_000) + ",\"currency\":\"EUR\"}}";

        assertProblem(deposit(customer, "[".repeat(1_001)), 400);
        assertProblem(deposit(customer, hugeNumber), 400);
        deposit(customer, "\"" + "x".repeat(65 * 1024) + "\"").statusCode(413);
    }

    private Response depositWithKey(String key, long euroCents) {
        var request =
                given().contentType(JSON).body("{\"amount\":{\"amount\":" + euroCents + ",\"currency\":\"EUR\"}}");
        return (key == null ? request : request.header("Idempotency-Key", key))
                .post("/accounts/{customerId}/deposits", customer);
    }

    @Test
    void no_request_makes_the_service_fail_or_does_half_of_what_it_asked_for() throws SQLException {
        HostileRequests.assertAllAreHandled(service, openApi, sql());
    }
}
