package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.testing.OrderTopic;
import dev.orderly.testing.RealPlatform;
import io.quarkus.scheduler.Scheduler;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** There is no relay here: the tests themselves send what a relay that loses something would have sent. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
@QuarkusTestResource(value = RealPlatform.class, initArgs = @ResourceArg(name = "service", value = "order-service"))
class OutboxAuditorTest extends IntegrationTest {

    private static final OffsetDateTime EVERY_CANARY = OffsetDateTime.MAX;

    @Inject
    OutboxAuditor auditor;

    @Inject
    Scheduler scheduler;

    /** And no canary of another test counts. */
    @BeforeEach
    void nobodyElseAudits() throws SQLException {
        scheduler.pause();
        sql().execute("UPDATE outbox_audit SET seen = '{}', audited_until = now() - interval '600 s'");
    }

    @AfterEach
    void theSchedulerGoesOn() {
        scheduler.resume();
    }

    @Test
    void what_the_relay_passed_over_is_published_again_under_the_same_id_and_nothing_else_is() throws SQLException {
        var arrived = UUID.randomUUID();
        var lost = UUID.randomUUID();
        var pending = UUID.randomUUID();
        publish(List.of(placed(arrived), cancelled(arrived), placed(lost), cancelled(lost)));
        relay(arrived.toString());
        auditor.audit(EVERY_CANARY);
        assertThat(published(lost)).as("before the relay has provably passed").hasSize(1);

        // Sung in the future, so that the relay is past the grace for all that was written up to now.
        sql().execute(
                        "INSERT INTO outbox (topic, key, type, source, version, schema, payload, recorded_at) VALUES "
                                + "('relay-canary', ?, 'OutboxHeartbeat', 'order-service', 1, 1, '{}', now() + '30.1 s')",
                        "far-ahead");
        relay("far-ahead");
        publish(List.of(placed(pending), cancelled(pending)));
        auditor.audit(EVERY_CANARY);

        assertThat(published(arrived)).hasSize(1);
        assertThat(published(lost)).containsExactly("PaymentRefunded", "PaymentRefunded");
        assertThat(sql().strings("SELECT DISTINCT id FROM outbox WHERE key = ?", lost.toString()))
                .hasSize(1);
        assertThat(published(pending)).hasSize(1);

        auditor.audit(EVERY_CANARY);
        assertThat(published(lost)).as("what is published again is not missing").hasSize(2);
    }

    @Test
    void an_audit_that_is_far_behind_goes_from_canary_to_canary() throws SQLException {
        for (var secondsAgo : List.of(500, 400, 300)) {
            record("order-service", "lost " + secondsAgo, secondsAgo);
            record("relay-canary", "canary " + secondsAgo, secondsAgo - 50);
            relay("canary " + secondsAgo);
        }
        record("order-service", "after the last canary", 200);

        auditor.audit(EVERY_CANARY);

        for (var secondsAgo : List.of(500, 400, 300)) {
            assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", "lost " + secondsAgo))
                    .hasSize(2);
        }
        assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", "after the last canary"))
                .hasSize(1);
    }

    @Test
    void a_canary_that_came_since_the_last_look_proves_nothing() throws SQLException {
        record("order-service", "perhaps unread", 500);
        record("relay-canary", "canary since the look", 400);
        relay("canary since the look");

        auditor.audit(OffsetDateTime.now().minusSeconds(450));
        assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", "perhaps unread"))
                .hasSize(1);

        auditor.audit(OffsetDateTime.now().minusSeconds(350));
        assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", "perhaps unread"))
                .hasSize(2);
    }

    /** As after a slot was lost for as long: none of the canaries in between has arrived. */
    @Test
    void much_that_was_lost_is_published_again_in_short_steps() throws SQLException {
        var key = "lost for long " + UUID.randomUUID();
        for (var secondsAgo : List.of(500, 485, 470)) {
            record("order-service", key, secondsAgo);
            record("relay-canary", "lost canary", secondsAgo - 1);
        }
        record("relay-canary", "first canary after", 300);
        relay("first canary after");

        auditor.audit(EVERY_CANARY);

        assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", key)).hasSize(6);
        assertThat(sql().strings("SELECT DISTINCT recorded_at FROM outbox WHERE key = ?", key))
                .as("each in a transaction of its own, beside the three that were lost")
                .hasSize(6);
    }

    /** That one waits at all; why it does so in a statement of its own (OutboxAuditor.LOCK), only hours of load would show. */
    @Test
    void an_audit_waits_for_what_is_being_noted() throws Exception {
        record("order-service", "lost meanwhile", 500);
        record("relay-canary", "canary meanwhile", 400);
        relay("canary meanwhile");
        try (var noting = database.getConnection();
                var note = noting.prepareStatement("UPDATE outbox_audit SET seen = seen")) {
            noting.setAutoCommit(false);
            note.executeUpdate();
            var audit = CompletableFuture.runAsync(() -> auditor.audit(EVERY_CANARY));
            await().atMost(Duration.ofSeconds(10))
                    .until(() -> !sql().strings(
                                    "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ?",
                                    "%FROM outbox_audit FOR UPDATE%")
                            .isEmpty());
            noting.commit();
            audit.get(10, TimeUnit.SECONDS);
        }
        assertThat(sql().strings("SELECT topic FROM outbox WHERE key = ?", "lost meanwhile"))
                .hasSize(2);
    }

    private void record(String topic, String key, int secondsAgo) throws SQLException {
        sql().execute("""
                INSERT INTO outbox (topic, key, type, source, version, schema, payload, recorded_at)
                VALUES (?, ?, 'Any', 'order-service', 1, 1, '{}', now() - ? * interval '1 s')
                """, topic, key, secondsAgo);
    }

    /** Sends the rows as Debezium would, and returns when the auditor has seen them. */
    private void relay(String key) throws SQLException {
        var rows = sql().strings("SELECT seq || ' ' || topic FROM outbox WHERE key = ?", key);
        assertThat(rows).isNotEmpty();
        try (var topic = new OrderTopic()) {
            for (var row : rows) {
                var columns = row.split(" ");
                var record = new ProducerRecord<>(columns[1], key, "{}".getBytes(UTF_8));
                record.headers().add("source", "order-service".getBytes(UTF_8));
                record.headers().add("seq", columns[0].getBytes(UTF_8));
                topic.publish(List.of(record));
            }
        }
        for (var row : rows) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> sql().strings(
                                    "SELECT 'yes' FROM outbox_audit WHERE seen @> ?::bigint", row.split(" ")[0])
                            .contains("yes"));
        }
    }
}
