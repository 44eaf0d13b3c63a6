package dev.orderly.notification;

import static dev.orderly.testing.OrderTopic.header;
import static dev.orderly.testing.OrderTopic.with;
import static dev.orderly.testing.ProblemAssert.assertProblem;
import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsInAnyOrder;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.not;

import dev.orderly.events.EventHeaders;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.PaymentMethod;
import dev.orderly.messaging.EventHandler;
import dev.orderly.notification.Message.Kind;
import dev.orderly.notification.Notification.State;
import dev.orderly.testing.EventFuzz;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.Tokens;
import io.quarkus.arc.All;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.net.URI;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
class NotificationServiceTest extends IntegrationTest {

    @Inject
    @All
    List<EventHandler<?>> handlers;

    private static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    private final UUID order = UUID.randomUUID();
    private final UUID customer = UUID.randomUUID();

    @Inject
    Notifications repository;

    @TestHTTPResource(value = "/health/ready", management = true)
    URI ready;

    @TestHTTPResource(value = "/metrics", management = true)
    URI metrics;

    @Test
    void no_number_and_no_text_in_an_event_stops_a_handler() throws SQLException {
        EventFuzz.assertThatNoEventStops(
                handlers.stream()
                        .filter(handler -> handler.reactsTo().stream().anyMatch(OrderEvent.class::isAssignableFrom))
                        .toList(),
                sql());
    }

    @Test
    void a_confirmed_order_is_mailed_to_its_customer() {
        publish(List.of(placed(), confirmed(order, customer)));

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).singleElement().satisfies(mail -> {
            assertThat(mail.messageId()).isEqualTo("<" + order + ".confirmed@orderly.example>");
            assertThat(mail.subject()).isEqualTo("Your order " + order + " is confirmed");
            assertThat(mail.text())
                    .contains(
                            "From: orders@orderly.example",
                            "To: " + customer + "@customers.orderly.example",
                            "The total is 39.98 EUR.");
        });
    }

    @Test
    void a_customer_sees_the_messages_about_their_own_orders_alone() {
        publish(List.of(placed(), confirmed(order, customer)));
        awaitSent(order);

        notificationsTo(customer).body("", hasSize(1));
        notificationsTo(UUID.randomUUID()).body("", hasSize(0));
    }

    private ValidatableResponse notificationsTo(UUID caller) {
        return given().header("Authorization", "Bearer " + Tokens.of(caller.toString(), Tokens.CUSTOMER))
                .get("/notifications?orderId=" + order)
                .then()
                .statusCode(200);
    }

    @Test
    void a_rejected_order_is_mailed_with_the_reason() {
        publish(List.of(placed(), event(new OrderRejected(order, customer, "out of stock: mug", NOW))));

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).singleElement().satisfies(mail -> {
            assertThat(mail.messageId()).isEqualTo("<" + order + ".rejected@orderly.example>");
            assertThat(mail.text()).contains("The reason: out of stock: mug");
        });
    }

    @Test
    void a_cancelled_order_is_mailed_with_the_reason() {
        publish(List.of(placed(), event(new OrderCancelled(order, customer, "cancelled by the customer", NOW))));

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).singleElement().satisfies(mail -> {
            assertThat(mail.messageId()).isEqualTo("<" + order + ".cancelled@orderly.example>");
            assertThat(mail.text()).contains("The reason: cancelled by the customer");
        });
    }

    @Test
    void the_delivery_status_of_a_message_can_be_queried() {
        publish(List.of(confirmed(order, customer)));

        awaitSent(order);
        given().queryParam("orderId", order)
                .get("/notifications")
                .then()
                .statusCode(200)
                .body("$", hasSize(1))
                .body(
                        "[0].keySet()",
                        containsInAnyOrder("orderId", "kind", "state", "attempts", "recordedAt", "sentAt"))
                .body("[0].orderId", equalTo(order.toString()))
                .body("[0].kind", equalTo("CONFIRMED"))
                .body("[0].state", equalTo("SENT"))
                .body("[0].attempts", equalTo(1));
    }

    @Test
    void an_order_that_has_not_ended_has_no_notification() {
        publish(List.of(placed()));

        assertThat(notificationsAbout(order)).isEmpty();
        assertThat(MailServer.mailsTo(customer)).isEmpty();
    }

    @Test
    void every_order_of_a_batch_is_mailed_once_however_often_its_events_arrive() {
        var orders = IntStream.range(0, 40).mapToObj(_ -> UUID.randomUUID()).toList();
        var records = new ArrayList<ProducerRecord<String, byte[]>>();
        orders.forEach(each -> records.add(confirmed(each, each)));
        var withNewEventIds = orders.stream().map(each -> confirmed(each, each)).toList();

        records.addAll(List.copyOf(records));
        records.addAll(withNewEventIds);
        publish(records);
        publish(records);

        orders.forEach(NotificationServiceTest::awaitSent);
        assertThat(orders)
                .allSatisfy(each -> assertThat(MailServer.mailsTo(each)).hasSize(1));
    }

    @Test
    void an_event_that_cannot_be_processed_is_skipped_or_parked_and_others_continue() throws SQLException {
        var unknown = UUID.randomUUID();
        var malformed = UUID.randomUUID();
        var unstorable = UUID.randomUUID();

        publish(List.of(
                header(confirmed(unknown, customer), EventHeaders.TYPE, "OrderGiftWrapped"),
                with(confirmed(malformed, customer), malformed.toString(), "{oops".getBytes(UTF_8)),
                event(new OrderRejected(unstorable, customer, "a reason with a NUL: \0", NOW)),
                confirmed(order, customer)));

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).hasSize(1);
        assertThat(parked(unknown)).isEmpty();
        assertThat(parked(malformed)).containsExactly("UNREADABLE");
        assertThat(parked(unstorable)).containsExactly("FAILED");
    }

    @Test
    void a_mail_is_retried_until_the_server_has_recovered() {
        try (var topic = new OrderTopic()) {
            topic.publish(List.of(confirmed(UUID.randomUUID(), UUID.randomUUID()))); // logs in, which takes a while
            MailServer.kill();
            topic.publish(List.of(confirmed(order, customer)));
        }

        eventually().until(() -> {
            MailServer.kill(); // it may be back before the first attempt
            return notificationsAbout(order).stream()
                    .anyMatch(mail -> mail.state() == State.PENDING && mail.attempts() > 0 && mail.error() != null);
        });
        given().get(ready).then().statusCode(200);

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).hasSize(1);
        assertThat(notificationsAbout(order)).singleElement().satisfies(mail -> {
            assertThat(mail.attempts()).isGreaterThan(1);
            assertThat(mail.error()).isNull();
        });
    }

    @Test
    void a_mail_server_that_hangs_gets_each_mail_once_whatever_the_number_of_attempts() {
        MailServer.freeze();
        try {
            publish(List.of(confirmed(order, customer)));

            eventually()
                    .until(() -> notificationsAbout(order).stream()
                            .anyMatch(mail ->
                                    mail.state() == State.PENDING && mail.attempts() > 2 && mail.error() != null));
        } finally {
            MailServer.thaw();
        }

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).hasSize(1);
    }

    @Test
    void a_message_fails_visibly_after_its_last_attempt() throws SQLException {
        MailServer.freeze();
        try {
            storeMessage(DeliveryAttempt.MAX_ATTEMPTS - 1, "0 s");

            eventually().until(() -> notificationsAbout(order).getFirst().state() == State.FAILED);
        } finally {
            MailServer.thaw();
        }

        assertThat(notificationsAbout(order)).singleElement().satisfies(mail -> {
            assertThat(mail.attempts()).isEqualTo(DeliveryAttempt.MAX_ATTEMPTS);
            assertThat(mail.error()).isNotBlank();
            assertThat(mail.sentAt()).isNull();
        });
        given().get(metrics)
                .then()
                .body(containsString("orderly_messages_total{outcome=\"failed\"}"))
                .body(not(containsString("orderly_messages_total{outcome=\"failed\"} 0.0")));
    }

    @Test
    void a_message_claimed_by_a_crashed_instance_is_sent_when_the_lease_expires() throws SQLException {
        storeMessage(1, "2 s");

        awaitSent(order);
        assertThat(MailServer.mailsTo(customer)).hasSize(1);
        assertThat(notificationsAbout(order).getFirst().attempts()).isEqualTo(2);
    }

    @Test
    void a_row_locked_by_another_instance_does_not_block_other_messages() throws SQLException {
        var neighbour = UUID.randomUUID();
        storeMessage(0, "1 s");
        try (var other = database.getConnection();
                var lock = other.prepareStatement("SELECT FROM notification WHERE reference_id = ? FOR UPDATE")) {
            other.setAutoCommit(false);
            lock.setObject(1, order);
            lock.execute();
            eventually().until(() -> isDue(order));

            publish(List.of(confirmed(neighbour, neighbour)));

            awaitSent(neighbour);
            assertThat(notificationsAbout(order).getFirst().attempts()).isZero();
            other.rollback();
        }
        awaitSent(order);
    }

    @Test
    void after_its_lease_an_attempt_can_still_report_success_but_no_failure() throws SQLException {
        storeMessage(3, "1 h"); // another instance has started the third attempt
        var message = new Message(order, Kind.CONFIRMED, customer, "subject", "body", null);
        var second = new DeliveryAttempt(message, null, 2, null);

        repository.settle(List.of(second.failed("too late")));
        assertThat(notificationsAbout(order).getFirst().error()).isNull();

        repository.settle(List.of(second.succeeded()));
        assertThat(notificationsAbout(order).getFirst().state()).isEqualTo(State.SENT);

        repository.settle(List.of(new DeliveryAttempt(message, null, 3, null).failed("the third one")));
        assertThat(notificationsAbout(order).getFirst().state()).isEqualTo(State.SENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/notifications", "/notifications?orderId=", "/notifications?orderId=17"})
    void a_request_without_an_order_is_rejected_with_a_problem(String request) {
        assertProblem(given().get(request).then(), 400, "orderId").body("errors", hasSize(1));
    }

    /** Returns when the records have been consumed. */
    private static void publish(List<ProducerRecord<String, byte[]>> records) {
        try (var topic = new OrderTopic()) {
            topic.publish(records);
            eventually().until(() -> topic.isConsumedBy("notification-consumer-group"));
        }
    }

    private ProducerRecord<String, byte[]> placed() {
        var price = Money.of(3998, "EUR");
        return event(new OrderPlaced(
                order,
                customer,
                List.of(new OrderEvent.Line("mug", 1, price)),
                price,
                PaymentMethod.BALANCE,
                null,
                null,
                NOW));
    }

    private static ProducerRecord<String, byte[]> confirmed(UUID order, UUID customer) {
        return event(new OrderConfirmed(order, customer, Money.of(3998, "EUR"), NOW));
    }

    private static ProducerRecord<String, byte[]> event(OrderEvent event) {
        return OrderTopic.record("order-service", 1, event);
    }

    /** A message as another instance has left it. */
    private void storeMessage(int attempts, String dueIn) throws SQLException {
        sql().execute("""
                INSERT INTO notification (reference_id, kind, customer_id, subject, body, attempts, due_at)
                VALUES (?, 'CONFIRMED', ?, 'subject', 'body', ?, now() + ?::interval)
                """, order, customer, attempts, dueIn);
    }

    private boolean isDue(UUID order) throws SQLException {
        return !sql().strings("SELECT 'due' FROM notification WHERE due_at <= now() AND reference_id = ?", order)
                .isEmpty();
    }

    private List<String> parked(UUID order) throws SQLException {
        return sql().strings("SELECT reason FROM parked_event WHERE key = ?::uuid::text", order);
    }

    private static List<Notification> notificationsAbout(UUID order) {
        return List.of(
                given().queryParam("orderId", order).get("/notifications").as(Notification[].class));
    }

    private static void awaitSent(UUID order) {
        eventually().until(() -> notificationsAbout(order).stream().anyMatch(mail -> mail.state() == State.SENT));
    }
}
