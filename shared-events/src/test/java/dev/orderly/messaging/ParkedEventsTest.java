package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.header;
import static dev.orderly.testing.OrderTopic.record;
import static dev.orderly.testing.OrderTopic.with;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;

import dev.orderly.events.EventHeaders;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.testing.Tokens;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.http.ContentType;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class ParkedEventsTest extends IntegrationTest {

    @Inject
    ParkedEvents parkedEvents;

    @Inject
    ParkedRetries retries;

    @Test
    void what_is_parked_is_retried_and_takes_effect_in_order() throws SQLException {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        publish(List.of(placed(order)));
        publish(List.of(cancelled(order)));
        assertThat(effects(order)).isEmpty();

        handler.rejected.remove(order);

        await().untilAsserted(() -> assertThat(parked(order)).isEmpty());
        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(published(order)).containsExactly("PaymentRefunded");
    }

    @Test
    void after_the_last_retry_it_is_a_dead_letter_and_an_operator_can_redrive_it() throws SQLException {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        var placed = placed(order);
        publish(List.of(placed, cancelled(order)));

        await().untilAsserted(() -> assertThat(deadLetters(order))
                .containsExactly(id(placed) + " OrderPlaced " + RecordingHandler.GROUP + " FAILED"));
        assertThat(parked(order)).containsExactly("OrderPlaced FAILED", "OrderCancelled BEHIND");
        assertThat(sql().strings(
                                "SELECT payload FROM outbox WHERE topic = 'order-service.dlq' AND key = ?",
                                order.toString()))
                .containsExactly(new String(placed.value(), UTF_8));

        handler.rejected.remove(order);
        operate(id(placed), "redrive").then().statusCode(202);

        await().untilAsserted(() -> assertThat(parked(order)).isEmpty());
        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(audit(order)).containsExactly("REDRIVE alice because");
    }

    @Test
    void what_cannot_be_read_is_a_dead_letter_at_once_and_once_discarded_holds_up_nothing() throws SQLException {
        var order = UUID.randomUUID();
        var garbage = with(placed(order), order.toString(), "{oops".getBytes(UTF_8));
        publish(List.of(garbage, placed(order)));
        assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE", "OrderPlaced BEHIND");
        var id = sql().strings(
                        "SELECT event_id FROM parked_event WHERE key = ? AND reason = 'UNREADABLE'", order.toString())
                .getFirst();
        assertThat(deadLetters(order)).containsExactly(id + " OrderPlaced " + RecordingHandler.GROUP + " UNREADABLE");

        operate(id, "discard").then().statusCode(204);

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderPlaced"));
        assertThat(audit(order)).containsExactly("DISCARD alice because");
        given().get("/parked-events/actions")
                .then()
                .body("find { it.eventId == '" + id + "' }.action", equalTo("DISCARD"))
                .body("find { it.eventId == '" + id + "' }.operator", equalTo("alice"))
                .body("find { it.eventId == '" + id + "' }.why", equalTo("because"));
        given().get("/parked-events/{group}/{id}", RecordingHandler.GROUP, id)
                .then()
                .statusCode(404)
                .contentType("application/problem+json");
    }

    @Test
    void what_is_behind_one_that_was_discarded_goes_on_without_it() throws SQLException {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        var placed = placed(order);
        publish(List.of(placed, cancelled(order)));
        assertThat(parked(order)).containsExactly("OrderPlaced FAILED", "OrderCancelled BEHIND");
        operate(id(placed), "discard").then().statusCode(204);

        handler.rejected.remove(order);

        await().untilAsserted(() -> assertThat(parked(order)).isEmpty());
        assertThat(effects(order)).containsExactly("OrderCancelled");
    }

    @Test
    void a_gap_that_was_given_up_goes_on_when_the_event_before_it_is_discarded() throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(cancelled(order)));
        await().until(() -> attempts(order, "OrderCancelled") == 4); // all that there are
        handler.rejected.add(order);
        var placed = placed(order);
        publish(List.of(placed));
        await().until(() -> attempts(order, "OrderPlaced") == 4);
        handler.rejected.remove(order);

        operate(id(placed), "discard").then().statusCode(204);

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderCancelled"));
        assertThat(parked(order)).isEmpty();
    }

    /** As when topics have lost their ends, and the outbox of another service was audited first. */
    @Test
    void what_begins_an_order_does_not_wait_for_what_others_published_about_it() throws SQLException {
        var order = UUID.randomUUID();
        handler.rejected.add(order);
        publish(List.of(record("inventory-service", 1, new OrderCancelled(order, UUID.randomUUID(), "", NOW))));
        await().until(() -> attempts(order, "OrderCancelled") == 4);
        handler.rejected.remove(order);

        publish(List.of(placed(order)));

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderPlaced"));
        assertThat(parked(order)).containsExactly("OrderCancelled FAILED");
    }

    @Test
    void what_is_due_is_found_by_an_index_without_what_waits() throws SQLException {
        assertThat(sql().plan(ParkedEvents.LOCK_DUE, RecordingHandler.GROUP, OffsetDateTime.now(), 1))
                .anyMatch(line -> line.contains("Index Scan using parked_event_unblocked"));
    }

    @Test
    void what_is_marked_wrongly_as_by_the_version_before_is_corrected() throws SQLException {
        var order = UUID.randomUUID();
        var alone = UUID.randomUUID();
        handler.rejected.addAll(List.of(order, alone));
        publish(List.of(placed(order), cancelled(order), placed(alone)));
        assertThat(blocked(order)).containsExactly("OrderCancelled");
        await().until(() -> attempts(order, "OrderPlaced") == 4 && attempts(alone, "OrderPlaced") == 4);
        handler.rejected.removeAll(List.of(order, alone));
        mark(order, "OrderCancelled", false);
        mark(alone, "OrderPlaced", true);
        retries.retryDue();
        assertThat(attempts(order, "OrderCancelled"))
                .as("attempts of what waits")
                .isZero();

        retries.correctBlocked();

        assertThat(blocked(order)).containsExactly("OrderCancelled");
        await().untilAsserted(() -> assertThat(effects(alone)).containsExactly("OrderPlaced"));
        assertThat(parked(alone)).isEmpty();
    }

    private void mark(UUID order, String type, boolean blocked) throws SQLException {
        sql().execute(
                        "UPDATE parked_event SET blocked = ?, attempts = 0, next_attempt_at = now() - interval '1 h'"
                                + " WHERE key = ? AND type = ?",
                        blocked,
                        order.toString(),
                        type);
    }

    private List<String> blocked(UUID order) throws SQLException {
        return sql().strings("SELECT type FROM parked_event WHERE key = ? AND blocked", order.toString());
    }

    private long attempts(UUID order, String type) throws SQLException {
        return sql().number(
                        "SELECT coalesce(max(attempts), -1) FROM parked_event WHERE key = ? AND type = ?",
                        order.toString(),
                        type);
    }

    @Test
    void a_known_version_has_no_effect_under_another_event_id_either() throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(placed(order), cancelled(order)));

        publish(List.of(placed(order), cancelled(order)));

        assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled");
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void an_event_ahead_of_a_missing_one_waits_for_it() throws SQLException {
        var order = UUID.randomUUID();
        var neighbour = UUID.randomUUID();

        publish(List.of(cancelled(order), placed(neighbour)));

        assertThat(effects(neighbour)).containsExactly("OrderPlaced");
        assertThat(effects(order)).isEmpty();
        assertThat(parked(order)).containsExactly("OrderCancelled GAP");

        publish(List.of(placed(order)));

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled"));
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void the_missing_event_may_come_after_several_that_wait_for_it() throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(rejected(order)));
        publish(List.of(cancelled(3, order)));
        assertThat(parked(order)).containsExactly("OrderRejected GAP", "OrderCancelled BEHIND");

        publish(List.of(placed(order)));

        await().untilAsserted(() ->
                assertThat(effects(order)).containsExactly("OrderPlaced", "OrderRejected", "OrderCancelled"));
        assertThat(parked(order)).isEmpty();
    }

    @Test
    void a_header_of_any_name_and_length_does_not_hinder_the_retries() throws SQLException {
        var order = UUID.randomUUID();
        var neighbour = UUID.randomUUID();
        handler.rejected.addAll(List.of(order, neighbour));
        var odd = placed(order);
        odd.headers().add("x".repeat(1100), null);
        odd.headers().add("version=7", "=".getBytes(UTF_8));
        odd.headers().add("\0", new byte[] {0, (byte) 0xC3});
        publish(List.of(odd, placed(neighbour)));
        assertThat(parked(order)).containsExactly("OrderPlaced FAILED");

        handler.rejected.clear();

        await().untilAsserted(() -> {
            assertThat(effects(order)).containsExactly("OrderPlaced");
            assertThat(effects(neighbour)).containsExactly("OrderPlaced");
        });
    }

    @Test
    void an_event_of_a_newer_schema_waits_for_an_instance_that_reads_it() throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(header(placed(order), EventHeaders.SCHEMA, "3"), cancelled(order)));
        assertThat(parked(order)).containsExactly("OrderPlaced NEWER_SCHEMA", "OrderCancelled BEHIND");

        // As if this instance were the newer one, and the event of its schema.
        sql().execute("""
                UPDATE parked_event SET schema = 1, headers = array_replace(headers, 'schema=3', 'schema=1')
                WHERE key = ? AND next_attempt_at IS NULL
                """, order.toString());

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderPlaced", "OrderCancelled"));
        assertThat(parked(order)).isEmpty();
        assertThat(deadLetters(order)).isEmpty();
    }

    @Test
    void the_largest_version_can_be_discarded_like_any_other() throws SQLException {
        var order = UUID.randomUUID();
        var last = cancelled(Integer.MAX_VALUE, order);
        publish(List.of(last));
        assertThat(parked(order)).containsExactly("OrderCancelled GAP");

        operate(id(last), "discard").then().statusCode(204);

        assertThat(parked(order)).isEmpty();
    }

    @Test
    void an_operator_can_let_an_event_go_on_without_what_is_missing() throws SQLException {
        var order = UUID.randomUUID();
        var cancelled = cancelled(order);
        publish(List.of(cancelled));

        operate(id(cancelled), "redrive").then().statusCode(202);

        await().untilAsserted(() -> assertThat(effects(order)).containsExactly("OrderCancelled"));
        publish(List.of(placed(order)));
        assertThat(effects(order)).as("what came too late").containsExactly("OrderCancelled");
    }

    @Test
    void operators_see_what_is_parked_and_say_why_they_act() throws SQLException {
        var order = UUID.randomUUID();
        var garbage = with(placed(order), order.toString(), "{oops".getBytes(UTF_8));
        publish(List.of(garbage));
        var listed = given().queryParam("key", order).get("/parked-events");
        listed.then().statusCode(200).body("size()", equalTo(1)).body("[0].reason", equalTo("UNREADABLE"));

        given().get("/parked-events/{group}/{id}", RecordingHandler.GROUP, listed.path("[0].eventId"))
                .then()
                .statusCode(200)
                .body("payload", equalTo("{oops"))
                .body("event.key", equalTo(order.toString()));
        given().contentType(ContentType.JSON)
                .body(Map.of())
                .post("/parked-events/{group}/{id}/discard", RecordingHandler.GROUP, listed.path("[0].eventId"))
                .then()
                .statusCode(400)
                .body("errors[0].field", equalTo("why"));
        assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE");
        assertThat(parkedEvents.page(null, order.toString(), 0, 1))
                .singleElement()
                .extracting(ParkedEvent::payload)
                .as("in a page, which must fit in memory")
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({"redrive, why", "redrive, operator", "discard, why", "discard, operator"})
    void an_instruction_that_the_audit_could_not_store_or_that_names_its_operator_is_rejected(
            String action, String field) throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(with(placed(order), order.toString(), "{oops".getBytes(UTF_8))));
        var id = given().queryParam("key", order).get("/parked-events").<String>path("[0].eventId");
        var unstorable = new HashMap<>(Map.of("why", "because"));
        unstorable.put(field, "\0x");

        operate(id, action, unstorable)
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("errors.field", equalTo(List.of(field)));

        assertThat(parked(order)).containsExactly("OrderPlaced UNREADABLE");
        assertThat(audit(order)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "key, /parked-events?key=%00",
        "consumer, /parked-events?consumer=%00",
        "consumer, /parked-events/%00/0198c6a2-0000-7000-8000-000000000001"
    })
    void a_name_that_could_not_be_stored_is_rejected(String field, String path) {
        given().urlEncodingEnabled(false)
                .get(path)
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("errors.field", equalTo(List.of(field)));
    }

    private static Response operate(String event, String action) {
        return operate(event, action, Map.of("why", "because"));
    }

    private static Response operate(String event, String action, Map<String, String> order) {
        return given().contentType(ContentType.JSON)
                .header("Authorization", "Bearer " + Tokens.of("alice", Tokens.OPERATOR))
                .body(order)
                .post("/parked-events/{group}/{id}/{action}", RecordingHandler.GROUP, event, action);
    }

    private static String id(ProducerRecord<String, byte[]> record) {
        return new String(record.headers().lastHeader(EventHeaders.ID).value(), UTF_8);
    }

    private List<String> deadLetters(UUID order) throws SQLException {
        return sql().strings("""
                SELECT id || ' ' || type || ' ' || consumer || ' ' || reason FROM outbox
                WHERE topic = 'order-service.dlq' AND key = ?
                """, order.toString());
    }

    private List<String> audit(UUID order) throws SQLException {
        return sql().strings("""
                SELECT action || ' ' || operator || ' ' || why FROM parked_event_audit WHERE event ->> 'key' = ?
                """, order.toString());
    }
}
