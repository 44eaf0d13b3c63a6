package dev.orderly.messaging;

import static dev.orderly.testing.OrderTopic.record;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.Money;
import dev.orderly.events.OrderEvent;
import dev.orderly.events.OrderEvent.Line;
import dev.orderly.events.OrderEvent.OrderCancelled;
import dev.orderly.events.OrderEvent.OrderPlaced;
import dev.orderly.events.OrderEvent.OrderRejected;
import dev.orderly.events.PaymentMethod;
import dev.orderly.testing.DefaultToken;
import dev.orderly.testing.FakeSchemaRegistry;
import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RealPlatform;
import dev.orderly.testing.Sql;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.junit.QuarkusTestProfile;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** A service with one handler, {@link RecordingHandler}, on a PostgreSQL and a Kafka of its own. */
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
@QuarkusTestResource(FakeSchemaRegistry.class)
public abstract class IntegrationTest {

    static {
        Awaitility.setDefaultTimeout(Duration.ofSeconds(30)); // for a machine that other tests keep busy
        DefaultToken.install();
    }

    /** To be named by every test. In place of an application.properties, which services' tests would find. */
    public static class Service implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "orderly.parked.retry-delays", "PT0.1S,PT0.1S,PT0.1S,PT0.1S",
                    "orderly.outbox.audit-grace", "PT30S",
                    "quarkus.application.name", "order-service",
                    "orderly.database", "orders",
                    "quarkus.flyway.locations", "db/messaging,db/effect",
                    "mp.messaging.incoming.orders.connector", "smallrye-kafka",
                    "mp.messaging.incoming.orders.topic", "order-service",
                    "mp.messaging.incoming.orders.group.id", RecordingHandler.GROUP);
        }
    }

    static final Instant NOW = Instant.parse("2026-11-23T10:15:30.123Z");

    @ConfigProperty(name = "quarkus.datasource.jdbc.url")
    String databaseUrl;

    @ConfigProperty(name = "quarkus.flyway.username")
    String databaseOwner;

    @ConfigProperty(name = "quarkus.flyway.password")
    String ownerPassword;

    @Inject
    DataSource database;

    @Inject
    RecordingHandler handler;

    /** Publishes records as one batch, and returns when the handler's group has consumed them. */
    static void publish(List<ProducerRecord<String, byte[]>> records) {
        try (var topic = new OrderTopic()) {
            topic.publish(records);
            await().atMost(Duration.ofSeconds(30)).until(() -> topic.isConsumedBy(RecordingHandler.GROUP));
        }
    }

    static ProducerRecord<String, byte[]> placed(UUID order) {
        var price = Money.of(1, "EUR");
        return event(
                1,
                new OrderPlaced(
                        order,
                        UUID.randomUUID(),
                        List.of(new Line("mug", 1, price)),
                        price,
                        PaymentMethod.BALANCE,
                        null,
                        null,
                        NOW));
    }

    static ProducerRecord<String, byte[]> rejected(UUID order) {
        return event(2, new OrderRejected(order, UUID.randomUUID(), "why not", NOW));
    }

    static ProducerRecord<String, byte[]> cancelled(UUID order) {
        return cancelled(2, order);
    }

    static ProducerRecord<String, byte[]> cancelled(int version, UUID order) {
        return event(version, new OrderCancelled(order, UUID.randomUUID(), "why not", NOW));
    }

    static ProducerRecord<String, byte[]> event(int version, OrderEvent event) {
        return record("order-service", version, event);
    }

    List<String> effects(UUID order) throws SQLException {
        return sql().strings("SELECT type FROM effect WHERE order_id = ?::uuid ORDER BY position", order.toString());
    }

    List<String> published(UUID order) throws SQLException {
        return sql().strings(
                        "SELECT type FROM outbox WHERE topic = 'order-service' AND key = ? ORDER BY seq",
                        order.toString());
    }

    List<String> parked(UUID order) throws SQLException {
        return sql().strings(
                        "SELECT type || ' ' || reason FROM parked_event WHERE key = ? ORDER BY partition, \"offset\"",
                        order.toString());
    }

    protected Sql sql() {
        return new Sql(database);
    }

    /** For the caller to close. */
    protected Connection connectAsOwner() throws SQLException {
        return DriverManager.getConnection(databaseUrl, databaseOwner, ownerPassword);
    }

    String failureOf(String statement) {
        try {
            sql().execute(statement);
            return "no failure";
        } catch (SQLException e) {
            return e.getMessage();
        }
    }
}
