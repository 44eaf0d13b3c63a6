package dev.orderly.customer;

import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.util.Locale.ROOT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.allOf;
import static org.hamcrest.Matchers.containsInAnyOrder;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThan;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.lessThanOrEqualTo;

import dev.orderly.IntegrationTest;
import dev.orderly.events.VerificationCodes;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class CustomerResourceTest extends IntegrationTest {

    @ConfigProperty(name = "orderly.verification.key")
    List<String> verificationKeys;

    private final String mail = UUID.randomUUID() + "@shop.example";
    private final String phone = "+49" + ThreadLocalRandom.current().nextLong(1_000_000_000L, 9_999_999_999L);

    @Test
    void a_registration_is_answered_without_the_person_and_published_on_the_customers_topic_alone()
            throws SQLException {
        var answer = register(null);

        answer.then()
                .statusCode(201)
                .body("status", equalTo("REGISTERED"))
                .body("keySet()", containsInAnyOrder("id", "status"));
        assertThat(answer.header("Location")).endsWith("/customers/" + id(answer));
        assertThat(sql().strings("SELECT topic || ' ' || type || ' ' || version FROM outbox WHERE key = ?", id(answer)))
                .containsExactly("customer-service CustomerRegistered 1");
        assertThat(sql().strings("SELECT payload FROM outbox WHERE key = ?", id(answer)))
                .singleElement()
                .asString()
                .contains(mail);
        given().get("/customers/" + id(answer)).then().statusCode(200).body("status", equalTo("REGISTERED"));
    }

    @Test
    void a_registration_repeated_with_its_key_registers_no_second_customer() throws Exception {
        var key = UUID.randomUUID().toString();
        try (var threads = Executors.newFixedThreadPool(10)) {
            var ids = new HashSet<String>();
            for (var answer : threads.invokeAll(Collections.nCopies(10, (Callable<Response>) () -> register(key)))) {
                answer.get().then().statusCode(201);
                ids.add(id(answer.get()));
            }
            assertThat(ids).hasSize(1);
        }
        assertThat(sql().strings("SELECT id::text FROM customer WHERE mail = ?", mail))
                .hasSize(1);
        post("/customers", key, body("Bob", "bob@shop.example", "+4915112345678"))
                .then()
                .statusCode(422);
    }

    @Test
    void an_empty_key_is_rejected_and_registers_no_customer() throws Exception {
        assertProblem(register("").then(), 400).body("errors.field", hasItem("Idempotency-Key"));

        assertThat(sql().strings("SELECT id::text FROM customer WHERE mail = ?", mail))
                .isEmpty();
    }

    @Test
    void the_right_code_verifies_and_stays_right() throws SQLException {
        var id = id(register(null));

        verify(id, code(id)).then().statusCode(200).body("status", equalTo("VERIFIED"));
        verify(id, code(id)).then().statusCode(200).body("status", equalTo("VERIFIED"));

        assertThat(sql().strings("SELECT type FROM outbox WHERE key = ? ORDER BY seq", id))
                .containsExactly("CustomerRegistered", "CustomerVerified");
        post("/customers/" + id + "/verification/codes", null, "").then().statusCode(409);
    }

    /** Which another instance, or notification-service, had when the code was sent. */
    @Test
    void while_the_key_is_replaced_a_code_by_the_former_one_is_right() throws SQLException {
        var id = id(register(null));

        verify(id, code(id, verificationKeys.getLast())).then().statusCode(200).body("status", equalTo("VERIFIED"));
    }

    @Test
    void a_code_can_be_tried_five_times() throws SQLException {
        var id = id(register(null));
        var wrong = code(id).equals("000000") ? "000001" : "000000";

        for (var left = 4; left >= 0; left--) {
            assertProblem(verify(id, wrong).then(), 422, "code")
                    .body("errors[0].message", equalTo("is wrong; tries left: " + left));
        }
        verify(id, code(id)).then().statusCode(422);

        given().get("/customers/" + id).then().body("status", equalTo("REGISTERED"));
    }

    @Test
    void tries_in_parallel_are_no_more_than_those_one_after_the_other() throws Exception {
        var id = id(register(null));
        var wrong = code(id).equals("000000") ? "000001" : "000000";
        try (var threads = Executors.newFixedThreadPool(20)) {
            var wrongs = 0;
            for (var answer :
                    threads.invokeAll(Collections.nCopies(20, (Callable<Response>) () -> verify(id, wrong)))) {
                wrongs += answer.get().asString().contains("is wrong") ? 1 : 0;
            }
            assertThat(wrongs).isEqualTo(5);
        }
    }

    @Test
    void a_code_expires_after_ten_minutes_and_another_can_be_requested() throws SQLException {
        var id = id(register(null));
        var old = code(id);
        post("/customers/" + id + "/verification/codes", null, "")
                .then()
                .statusCode(429)
                .header("Retry-After", Integer::parseInt, lessThanOrEqualTo(61));
        sql().execute("UPDATE customer SET code_sent_at = code_sent_at - interval '10 min' WHERE id = ?::uuid", id);

        verify(id, old).then().statusCode(422).body("errors[0].message", equalTo("has expired; ask for another"));
        post("/customers/" + id + "/verification/codes", null, "").then().statusCode(202);
        verify(id, old).then().statusCode(422).body("errors[0].message", equalTo("is wrong; tries left: 4"));
        verify(id, code(id)).then().statusCode(200);
        assertThat(sql().strings("SELECT type FROM outbox WHERE key = ? ORDER BY seq", id))
                .containsExactly("CustomerRegistered", "CodeRequested", "CustomerVerified");
    }

    @Test
    void a_phone_or_mail_address_gets_no_more_than_five_messages_a_day() throws SQLException {
        for (var i = 0; i < 5; i++) {
            post("/customers", "key-" + i + mail, body("Ann", i + mail, phone))
                    .then()
                    .statusCode(201);
        }

        var sixth = post("/customers", "key-5" + mail, body("Ann", "5" + mail, phone));
        assertProblem(sixth.then(), 429)
                .header("Retry-After", Integer::parseInt, allOf(greaterThan(86_000), lessThanOrEqualTo(86_401)));
        assertThat(sixth.asString()).doesNotContain(phone);
        assertThat(sql().strings("SELECT id::text FROM customer WHERE phone = ?", phone))
                .hasSize(5);
        // A repetition sends nothing; a refused request uses up neither its key nor its other address.
        post("/customers", "key-0" + mail, body("Ann", "0" + mail, phone))
                .then()
                .statusCode(201);
        post("/customers", "key-5" + mail, body("Ann", "5" + mail, otherPhone()))
                .then()
                .statusCode(201);

        for (var tag : List.of("+1", "+2", "+3", "")) {
            post(
                            "/customers",
                            null,
                            body("Ann", ("5" + mail).replace("@", tag + "@").toUpperCase(ROOT), otherPhone()))
                    .then()
                    .statusCode(201);
        }
        assertProblem(
                post("/customers", null, body("Ann", "5" + mail, otherPhone())).then(), 429);

        sql().execute("UPDATE message_count SET since = since - interval '1 day'");
        post("/customers", null, body("Ann", "5" + mail, phone)).then().statusCode(201);
    }

    @Test
    void another_code_counts_as_a_message_to_the_phone() throws SQLException {
        var id = id(register(null));
        for (var i = 0; i < 4; i++) {
            post("/customers", null, body("Ann", i + mail, phone)).then().statusCode(201);
        }
        sql().execute("UPDATE customer SET code_sent_at = code_sent_at - interval '10 min' WHERE id = ?::uuid", id);

        assertProblem(post("/customers/" + id + "/verification/codes", null, "").then(), 429)
                .header("Retry-After", Integer::parseInt, greaterThan(86_000));
    }

    @Test
    void of_registrations_at_once_no_more_than_the_limit_get_through() throws Exception {
        try (var threads = Executors.newFixedThreadPool(10)) {
            var statuses = new ArrayList<Integer>();
            for (var answer : threads.invokeAll(Collections.nCopies(10, (Callable<Response>) () -> register(null)))) {
                statuses.add(answer.get().statusCode());
            }
            assertThat(statuses).isSubsetOf(201, 429, 503); // the last when the machine is too busy for all ten
            assertThat(statuses.stream().filter(status -> status == 201)).hasSizeBetween(1, 5);
        }
    }

    private static String otherPhone() {
        return "+49" + ThreadLocalRandom.current().nextLong(1_000_000_000L, 9_999_999_999L);
    }

    @Test
    void codes_are_kept_as_hashes_only() throws SQLException {
        var id = id(register(null));

        assertThat(sql().strings("SELECT customer::text FROM customer WHERE id = ?::uuid", id))
                .noneMatch(row -> row.contains(code(id)));
        assertThat(sql().strings("SELECT payload FROM outbox WHERE key = ?", id))
                .noneMatch(row -> row.contains(code(id)));
    }

    @Test
    void an_erased_customer_is_in_no_row_and_a_tombstone_is_published() throws SQLException {
        var id = id(register(mail));
        placeOrder(id, mail);

        erase(id).then().statusCode(202).body("status", equalTo("ERASED"));
        erase(id).then().statusCode(202);

        assertThat(sql().strings("SELECT command FROM command_audit WHERE target = ?", "customer " + id))
                .containsExactly("erase");
        for (var table : List.of("customer", "outbox", "registration_key", "order_key", "parked_event", "orders")) {
            // A bytea is printed as its hex digits.
            assertThat(sql().strings(
                                    "SELECT t::text FROM " + table + " t WHERE t::text LIKE ANY (ARRAY["
                                            + "'%' || ? || '%', '%' || encode(convert_to(?, 'UTF8'), 'hex') || '%'])",
                                    mail,
                                    mail))
                    .as(table)
                    .isEmpty();
        }
        assertThat(sql().strings(
                                "SELECT type || ' ' || version || ' ' || (payload IS NULL) FROM outbox"
                                        + " WHERE key = ? ORDER BY seq",
                                id))
                .containsExactly("CustomerRegistered 1 true", "CustomerErased 2 true");
        given().get("/customers/" + id).then().statusCode(200).body("status", equalTo("ERASED"));
        verify(id, "123456").then().statusCode(404);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "name, ``",
                "name, ` `",
                "name, `12345`",
                "name, `Ann\\nBcc: all@shop.example`",
                "name, `Ann\\u0000`",
                "mail, ``",
                "mail, ann",
                "mail, ann@shop",
                "mail, `ann@shop.example\\r\\nBcc: all@shop.example`",
                "mail, `Ann <ann@shop.example>`",
                "mail, ann..x@shop.example",
                "mail, .ann@shop.example",
                "mail, ann.@shop.example",
                "mail, ann@shop..example",
                "mail, `ann@shop.example,bob@shop.example`",
                "phone, ``",
                "phone, 015112345678",
                "phone, +0151123456",
                "phone, +49",
                "phone, `+49 151 12345678`",
                "phone, +49151123456789012",
            })
    void an_invalid_name_mail_address_or_phone_is_rejected_by_field_and_not_repeated(String field, String value)
            throws SQLException {
        var body = body("Ann", mail, "+4915112345678")
                .replaceAll(
                        "\"" + field + "\":\"[^\"]*\"", "\"" + field + "\":\"" + value.replace("\\", "\\\\") + "\"");

        var answer = post("/customers", null, body);

        assertProblem(answer.then(), 400).body("errors.field", hasItem(field));
        if (value.length() > "+49".length()) { // which the message about any phone contains
            assertThat(answer.asString()).doesNotContain(value);
        }
        assertThat(sql().strings("SELECT id::text FROM customer WHERE mail = ?", field.equals("mail") ? value : mail))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "not json",
                "{}",
                "{\"name\":\"Ann\"}",
                "{\"name\":1,\"mail\":2,\"phone\":3}",
                "{\"name\":\"Ann\",\"mail\":\"a@b.example\",\"phone\":\"+4915112345678\",\"admin\":true}",
            })
    void an_invalid_registration_is_rejected(String body) {
        assertProblem(post("/customers", null, body).then(), 400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"\"",
                "\"12345\"",
                "\"1234567\"",
                "\"12345a\"",
                "\"\u0661\u0662\u0663\u0664\u0665\u0666\"",
                "123456.5",
                "null",
                "[]"
            })
    void a_malformed_code_is_rejected_and_costs_no_try(String code) throws SQLException {
        var id = id(register(null));

        post("/customers/" + id + "/verification", null, "{\"code\":" + code + "}")
                .then()
                .statusCode(400);

        assertThat(sql().strings("SELECT tries_left::text FROM customer WHERE id = ?::uuid", id))
                .containsExactly("5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"17", "00000000-0000-7000-8000-000000000000"})
    void an_unknown_customer_is_not_found(String id) {
        assertProblem(given().get("/customers/" + id).then(), 404);
        erase(id).then().statusCode(404);
        verify(id, "123456").then().statusCode(404);
    }

    private static void placeOrder(String customer, String key) {
        given().contentType(ContentType.JSON)
                .body("{\"name\":\"A mug\",\"price\":{\"amount\":1999,\"currency\":\"EUR\"}}")
                .put("/products/mug");
        var order =
                "{\"customerId\":\"%s\",\"lines\":[{\"sku\":\"mug\",\"quantity\":1}],\"paymentMethod\":\"BALANCE\"}";
        post("/orders", key, order.formatted(customer)).then().statusCode(202);
    }

    private Response register(String key) {
        return post("/customers", key, body("Ann Example", mail, phone));
    }

    private static String body(String name, String mail, String phone) {
        return "{\"name\":\"%s\",\"mail\":\"%s\",\"phone\":\"%s\"}".formatted(name, mail, phone);
    }

    private static Response verify(String id, String code) {
        return post("/customers/" + id + "/verification", null, "{\"code\":\"" + code + "\"}");
    }

    private static Response erase(String id) {
        return given().delete("/customers/" + id);
    }

    private static Response post(String path, String key, String body) {
        var request = given().contentType(ContentType.JSON).body(body);
        return (key == null ? request : request.header("Idempotency-Key", key)).post(path);
    }

    private static String id(Response registered) {
        return registered.path("id");
    }

    /** As the SMS has it. */
    private String code(String id) {
        return code(id, verificationKeys.getFirst());
    }

    private String code(String id, String key) {
        try {
            var verification = sql().strings("SELECT verification::text FROM customer WHERE id = ?::uuid", id)
                    .getFirst();
            return new VerificationCodes(List.of(key)).of(UUID.fromString(id), UUID.fromString(verification));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
