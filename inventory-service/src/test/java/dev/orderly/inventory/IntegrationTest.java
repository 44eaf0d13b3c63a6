package dev.orderly.inventory;

import static io.restassured.RestAssured.given;
import static io.restassured.http.ContentType.JSON;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderConfirmed;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
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
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

/** Runs the service on its own PostgreSQL and Kafka, with the vocabulary of its tests. */
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "inventory-service"))
abstract class IntegrationTest {

    static {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30)); // for a machine that other tests keep busy
        DefaultToken.install();
    }

    static final UUID CUSTOMER = UUID.randomUUID();
    static final Money TOTAL = Money.of(3998, "EUR");

    private static final String GROUP = "inventory-consumer-group";

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

    /** Holds after every test: what is reserved and sold of a SKU is the sum of the reservations. */
    @AfterEach
    void stock_and_reservations_agree() throws SQLException {
        assertThat(sql().strings("""
                        SELECT sku
                        FROM (SELECT sku, reserved, sold FROM stock) AS stock
                        FULL JOIN (SELECT item.sku,
                                          sum(item.quantity) FILTER (WHERE status = 'RESERVED') AS reserved,
                                          sum(item.quantity) FILTER (WHERE status = 'COMMITTED') AS sold
                                   FROM reservation, jsonb_to_recordset(items) AS item (sku text, quantity bigint)
                                   GROUP BY item.sku) AS held USING (sku)
                        WHERE stock.reserved IS DISTINCT FROM coalesce(held.reserved, 0)
                           OR stock.sold IS DISTINCT FROM coalesce(held.sold, 0)
                        """))
                .as("SKUs whose stock is not the sum of the reservations")
                .isEmpty();
    }

    static OrderPlaced placed(UUID orderId, Line... lines) {
        return new OrderPlaced(
                orderId, CUSTOMER, List.of(lines), TOTAL, PaymentMethod.BALANCE, null, null, Instant.now());
    }

    static OrderConfirmed confirmed(UUID orderId) {
        return new OrderConfirmed(orderId, CUSTOMER, TOTAL, Instant.now());
    }

    static OrderRejected rejected(UUID orderId) {
        return new OrderRejected(orderId, CUSTOMER, "insufficient balance", Instant.now());
    }

    static OrderCancelled cancelled(UUID orderId) {
        return new OrderCancelled(orderId, CUSTOMER, "changed my mind", Instant.now());
    }

    static Line line(String sku, int quantity) {
        return new Line(sku, quantity, Money.of(1999, "EUR"));
    }

    static ProducerRecord<String, byte[]> record(OrderEvent event) {
        return OrderTopic.record("order-service", event instanceof OrderPlaced ? 1 : 2, event);
    }

    /** Publishes events as one batch and returns when the service has consumed them. */
    static void publish(OrderEvent... events) {
        publish(Stream.of(events).map(IntegrationTest::record).toList());
    }

    static void publish(List<ProducerRecord<String, byte[]>> records) {
        topic.publish(records);
        await().atMost(ofSeconds(20)).until(() -> topic.isConsumedBy(GROUP));
    }

    static String randomSku() {
        return "sku-" + UUID.randomUUID();
    }

    /** A new SKU with this stock. */
    static String skuWith(long available) {
        var sku = randomSku();
        restock(sku, available).statusCode(200);
        return sku;
    }

    static ValidatableResponse restock(String sku, long available) {
        return restock(sku, "{\"available\":" + available + "}");
    }

    static ValidatableResponse restock(String sku, String body) {
        return given().contentType(JSON).body(body).put("/stock/{sku}", sku).then();
    }

    /** As the service shows it. */
    static Stock stock(String sku) {
        var document = given().get("/stock/{sku}", sku)
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
        return new Stock(
                document.getString("sku"),
                document.getLong("available"),
                document.getLong("reserved"),
                document.getLong("sold"));
    }

    /** Type and version of the events that the service published for an order, in order. */
    List<String> published(UUID orderId) throws SQLException {
        return sql().strings(
                        "SELECT type || ' ' || version FROM outbox WHERE key = ? ORDER BY seq", orderId.toString());
    }

    List<String> payloads(UUID orderId) throws SQLException {
        return sql().strings("SELECT payload FROM outbox WHERE key = ? ORDER BY seq", orderId.toString());
    }

    /** Why events of an order are parked, in the order of the topic. */
    List<String> parked(UUID orderId) throws SQLException {
        return sql().strings(
                        "SELECT type || ' ' || reason FROM parked_event WHERE key = ? ORDER BY \"offset\"",
                        orderId.toString());
    }

    Sql sql() {
        return new Sql(database);
    }
}
