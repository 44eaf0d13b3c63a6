package dev.orderly.notification;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.CustomerEvent;
import dev.orderly.events.CustomerEvent.CodeRequested;
import dev.orderly.events.CustomerEvent.Contact;
import dev.orderly.events.CustomerEvent.CustomerErased;
import dev.orderly.events.CustomerEvent.CustomerRegistered;
import dev.orderly.events.CustomerEvent.CustomerVerified;
import dev.orderly.events.CustomerEvent.Verification;
import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.VerificationCodes;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(
        value = RealPlatform.class,
        initArgs = {
            @ResourceArg(name = "service", value = "notification-service"),
            @ResourceArg(name = "mail", value = "true")
        })
class CustomerEventHandlerTest {

    private static final String GROUP = "notification-customer-consumer-group";

    @Inject
    DataSource database;

    @ConfigProperty(name = "orderly.sms.url")
    String smsProvider;

    @ConfigProperty(name = "orderly.sms.api-key")
    String smsKey;

    @ConfigProperty(name = "orderly.verification.key")
    String verificationKey;

    private final UUID customer = UUID.randomUUID();
    private final UUID verification = UUID.randomUUID();
    private final String mail = customer + "@shop.example";
    private final String phone = "+49" + ThreadLocalRandom.current().nextLong(1_000_000_000L, 9_999_999_999L);

    @Test
    void who_registers_gets_a_welcome_mail_and_a_code() throws SQLException {
        publish(event(1, registered()));

        awaitState("WELCOME", customer, "SENT");
        awaitState("CODE", verification, "SENT");
        assertThat(MailServer.mailsTo(mail))
                .singleElement()
                .satisfies(welcome ->
                        assertThat(welcome.messageId()).isEqualTo("<" + customer + ".welcome@orderly.example>"));
        assertThat(smses()).singleElement().asString().contains(code());
        // Neither who they are nor the code is where letters are kept.
        assertThat(sql().strings("SELECT notification::text FROM notification WHERE customer_id = ?", customer))
                .hasSize(2)
                .noneMatch(row -> row.contains(mail) || row.contains(phone) || row.contains(code()));
    }

    @Test
    void what_is_delivered_again_is_not_sent_again() throws SQLException {
        var first = event(1, registered());
        publish(first, first, event(1, registered()));
        awaitState("WELCOME", customer, "SENT");
        awaitState("CODE", verification, "SENT");

        publish(first, event(1, registered()), first);

        assertThat(MailServer.mailsTo(mail)).hasSize(1);
        assertThat(smses()).hasSize(1);
    }

    @Test
    void another_code_is_sent_when_it_is_asked_for() throws SQLException {
        var another = UUID.randomUUID();
        publish(
                event(1, registered()),
                event(2, new CodeRequested(customer, contact(), new Verification(another, soon()), Instant.now())));

        awaitState("CODE", verification, "SENT");
        awaitState("CODE", another, "SENT");
        assertThat(smses()).hasSize(2);
    }

    @Test
    void a_code_that_would_come_too_late_is_not_sent() throws SQLException {
        publish(event(
                1,
                new CustomerRegistered(
                        customer,
                        contact(),
                        new Verification(verification, Instant.now().minusSeconds(1)),
                        Instant.now())));

        awaitState("CODE", verification, "VOID");
        assertThat(smses()).isEmpty();
    }

    @Test
    void a_code_does_not_wait_for_mails_that_a_hanging_server_piles_up() throws SQLException {
        var crowd = UUID.randomUUID();
        MailServer.freeze();
        try {
            // Before the code, and more than the sender can try while the test waits.
            sql().execute("""
                    INSERT INTO notification (about, kind, customer_id, subject, body, due_at)
                    SELECT uuidv7(), 'CONFIRMED', ?, 'subject', 'body', now() - interval '1 h'
                    FROM generate_series(1, 5000)
                    """, crowd);

            publish(event(1, registered()));

            await().atMost(Duration.ofSeconds(10)).until(() -> !smses().isEmpty());
            assertThat(sql().strings("SELECT DISTINCT state FROM notification WHERE customer_id = ?", crowd))
                    .containsExactly("PENDING");
        } finally {
            sql().execute("UPDATE notification SET state = 'VOID' WHERE customer_id = ?", crowd);
            MailServer.thaw();
        }
        awaitState("CODE", verification, "SENT");
        awaitState("WELCOME", customer, "SENT");
    }

    @Test
    void a_provider_that_is_away_gets_the_message_when_it_is_back() throws SQLException {
        given().header("Authorization", "Bearer " + smsKey)
                .body("{\"seconds\":2}")
                .put(smsProvider + "/fault");

        publish(event(1, registered()));

        awaitState("CODE", verification, "SENT");
        assertThat(smses()).hasSize(1);
    }

    @Test
    void who_is_erased_is_in_no_table_and_is_sent_nothing_more() throws SQLException {
        given().header("Authorization", "Bearer " + smsKey)
                .body("{\"seconds\":3}")
                .put(smsProvider + "/fault");
        publish(event(1, registered()));
        assertThat(sql().strings("SELECT mail FROM contact WHERE customer_id = ?", customer))
                .containsExactly(mail);

        publish(event(2, new CustomerErased(customer)));

        assertThat(sql().strings("SELECT mail FROM contact WHERE customer_id = ?", customer))
                .isEmpty();
        awaitState("CODE", verification, "VOID");
        assertThat(smses()).isEmpty();
    }

    @Test
    void a_tombstone_that_comes_again_or_before_anything_else_is_no_trouble() throws SQLException {
        publish(event(3, new CustomerErased(customer)), event(3, new CustomerErased(customer)));

        assertThat(sql().strings("SELECT reason FROM parked_event WHERE key = ?::text", customer))
                .isEmpty();
    }

    @Test
    void a_reader_that_sees_only_the_newest_event_knows_all_there_is() throws SQLException {
        publish(event(4, new CustomerVerified(customer, contact(), Instant.now())));

        assertThat(sql().strings("SELECT phone FROM contact WHERE customer_id = ?", customer))
                .containsExactly(phone);
    }

    @Test
    void mail_about_an_order_goes_to_the_address_of_a_customer_that_has_one() throws SQLException {
        var order = UUID.randomUUID();
        publish(event(2, new CustomerVerified(customer, contact(), Instant.now())));
        try (var topic = new OrderTopic()) {
            topic.publish("order-service", 1, new OrderConfirmed(order, customer, Money.of(1, "EUR"), Instant.now()));
        }

        awaitState("CONFIRMED", order, "SENT");
        assertThat(MailServer.mailsTo(mail)).hasSize(1);
        assertThat(MailServer.mailsTo(customer)).isEmpty();
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
        return new VerificationCodes(verificationKey).of(customer, verification);
    }

    /** A record, which has an id of its own. */
    private record Published(ProducerRecord<String, byte[]> record) {}

    private static Published event(int version, CustomerEvent event) {
        return new Published(OrderTopic.record("order-service", version, event));
    }

    private static void publish(Published... events) {
        try (var topic = new OrderTopic()) {
            topic.publish(Stream.of(events).map(Published::record).toList());
            await().atMost(Duration.ofSeconds(30)).until(() -> topic.customersAreConsumedBy(GROUP));
        }
    }

    /** What the phone of this test's customer has received. */
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

    private void awaitState(String kind, UUID about, String state) {
        await().atMost(Duration.ofSeconds(30))
                .until(
                        () -> sql().strings("SELECT state FROM notification WHERE kind = ? AND about = ?", kind, about),
                        List.of(state)::equals);
    }

    private Sql sql() {
        return new Sql(database);
    }
}
