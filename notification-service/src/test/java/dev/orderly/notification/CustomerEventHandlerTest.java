package dev.orderly.notification;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.Topic;
import dev.orderly.events.VerificationCodes;
import dev.orderly.messaging.IncomingEvent;
import dev.orderly.noncore.NonCoreWork;
import dev.orderly.testing.OrderTopic;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

@QuarkusTest
class CustomerEventHandlerTest extends IntegrationTest {

    private static final String GROUP = "notification-customer-consumer-group";

    @ConfigProperty(name = "orderly.sms.url")
    String smsProvider;

    @ConfigProperty(name = "orderly.sms.api-key")
    String smsKey;

    @ConfigProperty(name = "orderly.verification.key")
    List<String> verificationKeys;

    @Inject
    NonCoreWork nonCoreWork;

    @Inject
    CustomerEventHandler handler;

    @Inject
    RetryingTransactions transactions;

    private final UUID customer = UUID.randomUUID();
    private final UUID verification = UUID.randomUUID();
    private final String mail = customer + "@shop.example";
    private final String phone = "+49" + ThreadLocalRandom.current().nextLong(1_000_000_000L, 9_999_999_999L);

    @Test
    void a_new_customer_gets_a_welcome_mail_and_a_code() throws SQLException {
        publish(List.of(event(1, registered())));

        awaitState("WELCOME", customer, "SENT");
        awaitState("CODE", verification, "SENT");
        assertThat(MailServer.mailsTo(mail))
                .singleElement()
                .satisfies(welcome ->
                        assertThat(welcome.messageId()).isEqualTo("<" + customer + ".welcome@orderly.example>"));
        assertThat(smses()).singleElement().asString().contains(code());
        // Messages are stored without personal data, and without the code.
        assertThat(sql().strings("SELECT notification::text FROM notification WHERE customer_id = ?", customer))
                .hasSize(2)
                .noneMatch(row -> row.contains(mail) || row.contains(phone) || row.contains(code()));
    }

    @Test
    void a_redelivered_event_is_not_sent_again() throws SQLException {
        var first = event(1, registered());
        publish(List.of(first, first, event(1, registered())));
        awaitState("WELCOME", customer, "SENT");
        awaitState("CODE", verification, "SENT");

        publish(List.of(first, event(1, registered()), first));

        assertThat(MailServer.mailsTo(mail)).hasSize(1);
        assertThat(smses()).hasSize(1);
    }

    @Test
    void another_code_is_sent_on_request() throws SQLException {
        var another = UUID.randomUUID();
        publish(List.of(
                event(1, registered()),
                event(2, new CodeRequested(customer, contact(), new Verification(another, soon()), Instant.now()))));

        awaitState("CODE", verification, "SENT");
        awaitState("CODE", another, "SENT");
        assertThat(smses()).hasSize(2);
    }

    @Test
    void an_expired_code_is_not_sent() throws SQLException {
        publish(List.of(event(
                1,
                new CustomerRegistered(
                        customer,
                        contact(),
                        new Verification(verification, Instant.now().minusSeconds(1)),
                        Instant.now()))));

        awaitState("CODE", verification, "VOID");
        assertThat(smses()).isEmpty();
    }

    @Test
    void a_code_does_not_wait_for_a_backlog_of_mail_at_a_hanging_server() throws SQLException {
        var backlog = UUID.randomUUID();
        MailServer.freeze();
        try {
            // Due before the code, and more than the dispatcher can attempt while the test waits.
            sql().execute("""
                    INSERT INTO notification (reference_id, kind, customer_id, subject, body, due_at)
                    SELECT uuidv7(), 'CONFIRMED', ?, 'subject', 'body', now() - interval '1 h'
                    FROM generate_series(1, 5000)
                    """, backlog);

            publish(List.of(event(1, registered())));

            await().atMost(Duration.ofSeconds(10)).until(() -> !smses().isEmpty());
            assertThat(sql().strings("SELECT DISTINCT state FROM notification WHERE customer_id = ?", backlog))
                    .containsExactly("PENDING");
        } finally {
            sql().execute("UPDATE notification SET state = 'VOID' WHERE customer_id = ?", backlog);
            MailServer.thaw();
        }
        awaitState("CODE", verification, "SENT");
        awaitState("WELCOME", customer, "SENT");
    }

    @Test
    void a_message_is_retried_until_the_provider_has_recovered() throws SQLException {
        given().header("Authorization", "Bearer " + smsKey)
                .body("{\"seconds\":2}")
                .put(smsProvider + "/fault");

        publish(List.of(event(1, registered())));

        awaitState("CODE", verification, "SENT");
        assertThat(smses()).hasSize(1);
    }

    @Test
    void an_erased_customer_is_in_no_table_and_gets_no_more_messages() throws SQLException {
        given().header("Authorization", "Bearer " + smsKey)
                .body("{\"seconds\":3}")
                .put(smsProvider + "/fault");
        publish(List.of(event(1, registered())));
        assertThat(sql().strings("SELECT mail FROM contact WHERE customer_id = ?", customer))
                .containsExactly(mail);

        publish(List.of(event(2, new CustomerErased(customer))));

        assertThat(sql().strings("SELECT mail FROM contact WHERE customer_id = ?", customer))
                .isEmpty();
        awaitState("CODE", verification, "VOID");
        assertThat(smses()).isEmpty();
    }

    @Test
    void a_customer_who_is_erased_in_the_batch_of_the_registration_gets_no_message() throws SQLException {
        var batch = List.of(incoming(1, registered()), incoming(2, new CustomerErased(customer)));

        transactions.commit(() -> handler.on(batch));

        assertThat(sql().strings("SELECT kind FROM notification WHERE customer_id = ?", customer))
                .isEmpty();
        assertThat(sql().strings("SELECT mail FROM contact WHERE customer_id = ?", customer))
                .isEmpty();
    }

    @Test
    void the_messages_of_an_erased_customer_are_found_by_an_index() throws SQLException {
        var cancel = Notifications.CANCEL.replace(":rows", "(VALUES (?::uuid)) AS rows (customer_id)");

        assertThat(sql().plan(cancel, customer))
                .anyMatch(line -> line.contains("Index Scan using notification_cancellable"));
    }

    /** Such an address was accepted once, and is still in the topic. */
    @Test
    void a_mail_to_an_invalid_address_fails_at_once_and_its_reason_is_blanked_at_the_erasure() throws SQLException {
        var invalid = new Contact("Ann Example", "ann..x" + mail, phone);
        publish(List.of(event(
                1, new CustomerRegistered(customer, invalid, new Verification(verification, soon()), Instant.now()))));

        awaitState("WELCOME", customer, "FAILED");
        assertThat(welcomeAttemptsAndError())
                .singleElement()
                .satisfies(welcome ->
                        assertThat(welcome).startsWith("1 ").contains("dot-dot").doesNotContain("ann..x"));

        publish(List.of(event(2, new CustomerErased(customer))));

        assertThat(welcomeAttemptsAndError()).containsExactly("1 the customer was erased");
    }

    private List<String> welcomeAttemptsAndError() throws SQLException {
        return sql().strings(
                        "SELECT attempts || ' ' || error FROM notification WHERE kind = 'WELCOME' AND customer_id = ?",
                        customer);
    }

    @Test
    void a_tombstone_that_is_redelivered_or_comes_first_is_not_parked() throws SQLException {
        publish(List.of(event(3, new CustomerErased(customer)), event(3, new CustomerErased(customer))));

        assertThat(sql().strings("SELECT reason FROM parked_event WHERE key = ?::text", customer))
                .isEmpty();
    }

    @Test
    void the_latest_event_of_a_customer_is_enough_to_know_the_contact() throws SQLException {
        publish(List.of(event(4, new CustomerVerified(customer, contact(), Instant.now()))));

        assertThat(sql().strings("SELECT phone FROM contact WHERE customer_id = ?", customer))
                .containsExactly(phone);
    }

    @Test
    void mail_about_an_order_goes_to_the_contact_of_its_customer() throws SQLException {
        var order = UUID.randomUUID();
        publish(List.of(event(2, new CustomerVerified(customer, contact(), Instant.now()))));
        try (var topic = new OrderTopic()) {
            topic.publish("order-service", 1, new OrderConfirmed(order, customer, Money.of(1, "EUR"), Instant.now()));
        }

        awaitState("CONFIRMED", order, "SENT");
        assertThat(MailServer.mailsTo(mail)).hasSize(1);
        assertThat(MailServer.mailsTo(customer)).isEmpty();
    }

    @Test
    void while_orders_are_decided_late_logs_and_welcome_mails_wait_and_then_none_is_missing() throws Exception {
        var anHourAgo = Instant.now().minusSeconds(3600).toEpochMilli();
        var late = new UUID(anHourAgo << 16 | 0x7000, 0x8000_0000_0000_0000L);
        var pausing = new AtomicBoolean(true);
        try (var topic = new OrderTopic()) {
            topic.publish("order-service", 1, new OrderConfirmed(late, customer, Money.of(1, "EUR"), Instant.now()));
        }
        eventually().until(nonCoreWork::isPaused);
        var orders = Thread.ofVirtual().start(() -> {
            while (pausing.get()) {
                nonCoreWork.decided(late, Instant.now());
                LockSupport.parkNanos(20_000_000);
            }
        });

        try {
            publish(List.of(event(1, registered())));
            given().contentType("application/x-ndjson")
                    .body("{\"clientId\":\"%s\",\"at\":\"2026-11-23T10:15:30Z\",\"level\":\"WARN\",\"message\":\"m\"}"
                            .formatted(customer)
                            .getBytes(UTF_8))
                    .post("/logs")
                    .then()
                    .statusCode(202);
            awaitState("CODE", verification, "SENT");
            assertThat(MailServer.mailsTo(mail)).isEmpty();
            assertThat(loggedLines()).isZero();
        } finally {
            pausing.set(false);
            orders.join();
        }
        awaitState("WELCOME", customer, "SENT");
        eventually().until(() -> loggedLines() == 1);
    }

    private long loggedLines() throws SQLException {
        return sql().strings("SELECT message FROM client_log WHERE client_id = ?", customer.toString())
                .size();
    }

    private Contact contact() {
        return new Contact("Ann Example", mail, phone);
    }

    private CustomerRegistered registered() {
        return new CustomerRegistered(customer, contact(), new Verification(verification, soon()), Instant.now());
    }

    private static Instant soon() {
        return Instant.now().plusSeconds(600);
    }

    private String code() {
        return new VerificationCodes(verificationKeys).of(customer, verification);
    }

    private static IncomingEvent<CustomerEvent> incoming(int version, CustomerEvent event) {
        return new IncomingEvent<>(event, UUID.randomUUID(), "order-service", version, null, 0, version);
    }

    /** With an event id of its own. */
    private static ProducerRecord<String, byte[]> event(int version, CustomerEvent event) {
        return OrderTopic.record("order-service", version, event);
    }

    /** Returns when the events have been consumed. */
    private static void publish(List<ProducerRecord<String, byte[]>> events) {
        try (var topic = new OrderTopic()) {
            topic.publish(events);
            eventually().until(() -> topic.isConsumedBy(GROUP, Topic.CUSTOMERS));
        }
    }

    /** Received by the phone of this test's customer. */
    private List<String> smses() {
        List<Map<String, String>> all = given().header("Authorization", "Bearer " + smsKey)
                .get(smsProvider + "/messages")
                .jsonPath()
                .getList("");
        return all.stream()
                .filter(sms -> sms.get("to").equals(phone))
                .map(sms -> sms.get("text"))
                .toList();
    }

    private void awaitState(String kind, UUID reference, String state) {
        eventually()
                .until(
                        () -> sql().strings(
                                        "SELECT state FROM notification WHERE kind = ? AND reference_id = ?",
                                        kind,
                                        reference),
                        List.of(state)::equals);
    }
}
