package dev.orderly.payment;

import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.StockReserved;
import dev.orderly.events.PaymentMethod;
import dev.orderly.testing.DefaultToken;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** Runs the service on its own PostgreSQL and Kafka, with the vocabulary of its tests. */
@QuarkusTestResource(
        value = RealPlatform.class,
        initArgs = {
            @ResourceArg(name = "service", value = "payment-service"),
            @ResourceArg(name = "gateway", value = "true")
        })
abstract class IntegrationTest {

    static {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30)); // for a machine that other tests keep busy
        DefaultToken.install();
    }

    private static final String GROUP = "payment-consumer-group";

    private static OrderTopic topic;

    @Inject
    DataSource database;

    @BeforeAll
    static void open() {
        topic = new OrderTopic();
    }

    @AfterAll
    static void close() {
        topic.close();
    }

    /** Holds after every test: no money is created or lost. */
    @AfterEach
    void the_ledger_balances() throws SQLException {
        assertThat(sql().strings("SELECT currency FROM ledger_entry GROUP BY currency HAVING sum(amount) <> 0"))
                .as("currencies whose entries do not sum to zero")
                .isEmpty();
        assertThat(sql().strings("""
                        SELECT transfer
                        FROM (SELECT transfer, customer_balance,
                                     sum(ledger_entry.amount) OVER (PARTITION BY account, ledger_entry.currency
                                                                    ORDER BY transfer) AS total
                              FROM ledger_entry JOIN transfer ON transfer.id = transfer
                              WHERE account LIKE 'customer:%') AS statement
                        WHERE total <> customer_balance
                        """))
                .as("transfers whose recorded balance is not the sum of the entries")
                .isEmpty();
        assertThat(sql().strings("""
                        SELECT account
                        FROM (SELECT 'customer:' || customer_id AS account, currency, amount FROM balance) AS balance
                        FULL JOIN (SELECT account, currency, sum(amount) AS amount
                                   FROM ledger_entry WHERE account LIKE 'customer:%'
                                   GROUP BY account, currency) AS entries USING (account, currency)
                        WHERE coalesce(balance.amount, 0) <> coalesce(entries.amount, 0)
                        """))
                .as("customers whose balance is not the sum of their entries")
                .isEmpty();
    }

    static StockReserved reserved(UUID orderId, UUID customerId, long total) {
        return reserved(orderId, customerId, Money.of(total, "EUR"));
    }

    static StockReserved reserved(UUID orderId, UUID customerId, Money total) {
        return new StockReserved(orderId, customerId, total, PaymentMethod.BALANCE, null, null, Instant.now());
    }

    /** An order of a new customer, by a card that they have left. */
    static StockReserved byCard(UUID orderId, long total, String token) {
        var customer = UUID.randomUUID();
        return byCard(orderId, customer, total, leave(customer, token));
    }

    static StockReserved byCard(UUID orderId, UUID customer, long total, UUID cardId) {
        var amount = Money.of(total, "EUR");
        return new StockReserved(orderId, customer, amount, PaymentMethod.CARD, cardId, null, Instant.now());
    }

    /** The id of a card. */
    static UUID leave(UUID customer, String token) {
        var left = leave(customer, '"' + token + '"', UUID.randomUUID().toString());
        return UUID.fromString(left.statusCode(201).extract().path("id"));
    }

    /** @param token as JSON */
    static ValidatableResponse leave(UUID customer, String token, String key) {
        return given().contentType(JSON)
                .header("Idempotency-Key", key)
                .body("{\"customerId\":\"%s\",\"cardToken\":%s}".formatted(customer, token))
                .post("/cards")
                .then();
    }

    static OrderCancelled cancelled(UUID orderId, UUID customerId) {
        return new OrderCancelled(orderId, customerId, "changed my mind", Instant.now());
    }

    static ProducerRecord<String, byte[]> record(OrderEvent event) {
        return event instanceof StockReserved
                ? OrderTopic.record("inventory-service", 1, event)
                : OrderTopic.record("order-service", 2, event);
    }

    /** Publishes events as one batch and returns when the service has consumed them. */
    static void publish(OrderEvent... events) {
        publish(List.of(events).stream().map(IntegrationTest::record).toList());
    }

    static void publish(List<ProducerRecord<String, byte[]>> records) {
        send(records);
        awaitConsumed();
    }

    static void send(List<ProducerRecord<String, byte[]>> records) {
        topic.publish(records);
    }

    static void awaitConsumed() {
        await().atMost(ofSeconds(20)).until(() -> topic.isConsumedBy(GROUP));
    }

    /** A new customer with this balance. */
    static UUID customerWith(long euroCents) {
        var customerId = UUID.randomUUID();
        deposit(customerId, euroCents).statusCode(201);
        return customerId;
    }

    static ValidatableResponse deposit(UUID customerId, long euroCents) {
        return deposit(customerId, "{\"amount\":{\"amount\":" + euroCents + ",\"currency\":\"EUR\"}}");
    }

    static ValidatableResponse deposit(UUID customerId, String body) {
        return given().contentType(JSON)
                .header("Idempotency-Key", UUID.randomUUID())
                .body(body)
                .post("/accounts/{customerId}/deposits", customerId)
                .then();
    }

    static ValidatableResponse account(UUID customerId) {
        return given().get("/accounts/{customerId}", customerId).then();
    }

    static long balance(UUID customerId) {
        return account(customerId).statusCode(200).extract().jsonPath().getLong("balances[0].amount");
    }

    static ValidatableResponse payment(UUID orderId) {
        return given().get("/payments/{orderId}", orderId).then();
    }

    static String paymentStatus(UUID orderId) {
        return payment(orderId).statusCode(200).extract().path("status");
    }

    static <T> List<T> inParallel(int times, Callable<T> call) throws InterruptedException {
        try (var threads = Executors.newFixedThreadPool(times)) {
            return threads.invokeAll(Stream.generate(() -> call).limit(times).toList()).stream()
                    .map(done -> {
                        try {
                            return done.get();
                        } catch (InterruptedException | ExecutionException e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .toList();
        }
    }

    /** Type and version of the events that the service published for an order, in order. */
    List<String> published(UUID orderId) throws SQLException {
        return sql().strings(
                        "SELECT type || ' ' || version FROM outbox WHERE key = ? ORDER BY seq", orderId.toString());
    }

    /** Why events of an order are parked, in the order of the topic. */
    List<String> parked(String key) throws SQLException {
        return sql().strings("SELECT reason FROM parked_event WHERE key = ? ORDER BY \"offset\"", key);
    }

    Sql sql() {
        return new Sql(database);
    }
}
