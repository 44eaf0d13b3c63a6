package dev.orderly.messaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.orderly.events.EventHeaders;
import dev.orderly.events.Topic;
import dev.orderly.testing.OrderTopic;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.scheduler.Scheduler;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * No relay runs here: the tests themselves send what a relay that loses something would have sent. The rows
 * of the outbox are dated back, since it is the database that dates them.
 */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class OutboxAuditorTest extends IntegrationTest {

    private static final OffsetDateTime ANY_HEARTBEAT = OffsetDateTime.MAX;
    private static final long GRACE_SECONDS = 30;

    /** Of a transaction: on a machine that others keep busy, a test may hold a lock longer than a handler. */
    private static final String WITHOUT_TIMEOUTS = """
            SET LOCAL idle_in_transaction_session_timeout = 0;
            SET LOCAL transaction_timeout = 0;
            SET LOCAL statement_timeout = 0;
            SET LOCAL lock_timeout = 0
            """;

    @Inject
    OutboxAuditor auditor;

    @Inject
    OutboxAudit audit;

    @Inject
    Outbox outbox;

    @Inject
    Scheduler scheduler;

    @Inject
    MeterRegistry metrics;

    @BeforeEach
    void audit_only_here_and_from_ten_minutes_ago() throws SQLException {
        scheduler.pause();
        sql().execute("""
                UPDATE outbox_audit
                SET seen = '{}', audited_until = now() - interval '600 s', reread_by = NULL, reread_at = NULL
                """);
    }

    @AfterEach
    void resume_the_scheduler() {
        scheduler.resume();
    }

    @Test
    void what_the_relay_passed_over_is_published_again_under_the_same_id_and_nothing_else_is() throws SQLException {
        var arrived = UUID.randomUUID();
        var lost = UUID.randomUUID();
        var pending = UUID.randomUUID();
        publish(List.of(placed(arrived), cancelled(arrived), placed(lost), cancelled(lost)));
        relay(arrived.toString());
        auditor.audit(ANY_HEARTBEAT);
        assertThat(published(lost)).as("before a heartbeat has passed it").hasSize(1);

        // What is recorded before this moment is to be audited, and what is recorded from now on is not.
        recordHeartbeat("in the future", -GRACE_SECONDS);
        relay("in the future");
        publish(List.of(placed(pending), cancelled(pending)));
        auditor.audit(ANY_HEARTBEAT);

        assertThat(published(arrived)).hasSize(1);
        assertThat(published(lost)).containsExactly("PaymentRefunded", "PaymentRefunded");
        assertThat(sql().strings("SELECT DISTINCT id FROM outbox WHERE key = ?", lost.toString()))
                .hasSize(1);
        assertThat(published(pending)).hasSize(1);

        auditor.audit(ANY_HEARTBEAT);
        assertThat(published(lost)).as("what is published again is not missing").hasSize(2);
    }

    @Test
    void an_audit_that_is_far_behind_goes_from_heartbeat_to_heartbeat() throws SQLException {
        for (var secondsAgo : List.of(500, 400, 300)) {
            recordEvent("lost " + secondsAgo, secondsAgo);
            recordHeartbeat("heartbeat " + secondsAgo, secondsAgo - 50);
            relay("heartbeat " + secondsAgo);
        }
        recordEvent("after the last heartbeat", 200);

        auditor.audit(ANY_HEARTBEAT);

        for (var secondsAgo : List.of(500, 400, 300)) {
            assertThat(copies("lost " + secondsAgo)).isEqualTo(2);
        }
        assertThat(copies("after the last heartbeat")).isEqualTo(1);
    }

    @Test
    void a_heartbeat_that_arrived_after_the_last_snapshot_proves_nothing() throws SQLException {
        recordEvent("perhaps unread", 500);
        recordHeartbeat("after the snapshot", 400);
        relay("after the snapshot");

        auditor.audit(OffsetDateTime.now().minusSeconds(450));
        assertThat(copies("perhaps unread")).isEqualTo(1);

        auditor.audit(OffsetDateTime.now().minusSeconds(350));
        assertThat(copies("perhaps unread")).isEqualTo(2);
    }

    /** As after a slot was lost for that long: none of the heartbeats in between has arrived. */
    @Test
    void much_that_was_lost_is_published_again_in_short_steps() throws SQLException {
        var key = "lost for long " + UUID.randomUUID();
        for (var secondsAgo : List.of(500, 485, 470)) {
            recordEvent(key, secondsAgo);
            recordHeartbeat("lost heartbeat", secondsAgo - 1);
        }
        recordHeartbeat("first heartbeat after", 300);
        relay("first heartbeat after");

        auditor.audit(ANY_HEARTBEAT);

        assertThat(copies(key)).isEqualTo(6);
        assertThat(sql().number("SELECT count(DISTINCT recorded_at) FROM outbox WHERE key = ?", key))
                .as("each in a transaction of its own, beside the three that were lost")
                .isEqualTo(6);
    }

    /**
     * Only that it waits; why it does so in a statement of its own (OutboxAudit.LOCK), only hours of load
     * would show.
     */
    @Test
    void an_audit_waits_for_what_is_being_marked() throws Exception {
        recordEvent("lost and waiting", 500);
        recordHeartbeat("heartbeat after it", 400);
        relay("heartbeat after it");
        try (var marking = database.getConnection();
                var statement = marking.createStatement()) {
            marking.setAutoCommit(false);
            statement.execute(WITHOUT_TIMEOUTS);
            statement.execute("UPDATE outbox_audit SET seen = seen");
            var audit = inItsOwnThread(() -> auditor.audit(ANY_HEARTBEAT));
            awaitThatItWaits(audit, "%FROM outbox_audit FOR UPDATE%");
            marking.commit();
            audit.get(30, TimeUnit.SECONDS);
        }
        assertThat(copies("lost and waiting")).isEqualTo(2);
    }

    /** Positions beyond the end, instead of a topic whose end is gone. */
    @Test
    void what_the_brokers_lost_after_it_was_read_is_published_again() throws SQLException {
        recordEvent("kept", 500);
        recordEvent("lost by the brokers", 500);
        recordHeartbeat("heartbeat after both", 400);
        relay("kept");
        relay("heartbeat after both");
        audit.markSeen(seqs("lost by the brokers"));
        auditor.audit(ANY_HEARTBEAT);
        assertThat(copies("lost by the brokers")).as("it was read").isEqualTo(1);

        sql().execute("""
                UPDATE outbox_audit_position SET next_offset = next_offset + 1000 WHERE topic = 'order-service'
                """);
        auditor.auditWhenCaughtUp();
        auditor.audit(ANY_HEARTBEAT);

        assertThat(copies("kept")).isEqualTo(1);
        assertThat(copies("lost by the brokers")).isEqualTo(2);
        assertThat(sql().number("SELECT count(*) FROM outbox_audit_position WHERE next_offset >= 1000"))
                .as("positions are those of the topics again")
                .isZero();
    }

    @Test
    void a_clock_that_went_ahead_and_back_leaves_nothing_unaudited() throws SQLException {
        recordEvent("recorded after the correction", 500);
        recordHeartbeat("heartbeat after the correction", 400);
        relay("heartbeat after the correction");
        sql().execute("UPDATE outbox_audit SET audited_until = now() + interval '3 days'");

        auditor.auditWhenCaughtUp();
        auditor.audit(ANY_HEARTBEAT);

        assertThat(copies("recorded after the correction")).isEqualTo(2);
    }

    @Test
    void an_instance_that_died_while_it_read_the_topics_again_is_replaced() throws SQLException {
        sql().execute("UPDATE outbox_audit SET reread_by = gen_random_uuid(), reread_at = now()");
        auditor.auditWhenCaughtUp();
        assertThat(sql().number("SELECT count(reread_by) FROM outbox_audit"))
                .as("it may live")
                .isOne();

        sql().execute("UPDATE outbox_audit SET reread_at = now() - interval '2 min'");
        auditor.auditWhenCaughtUp();
        assertThat(sql().number("SELECT count(reread_by) FROM outbox_audit")).isZero();
    }

    @Test
    void a_heartbeat_of_the_future_moves_no_audit_beyond_now() throws SQLException {
        recordHeartbeat("by a clock that is three days ahead", -3 * 86_400);
        relay("by a clock that is three days ahead");

        assertThat(audit.state().newestHeartbeat())
                .satisfiesAnyOf(
                        newest -> assertThat(newest).isNull(),
                        newest ->
                                assertThat(newest).isBefore(OffsetDateTime.now().plusMinutes(1)));
    }

    @Test
    void a_number_that_no_row_has_yet_hides_no_later_row() throws SQLException {
        var next = sql().number("SELECT pg_sequence_last_value('outbox_seq_seq')") + 5;

        audit.markSeen(List.of(-1L, next, Long.MAX_VALUE));

        assertThat(sql().strings("SELECT 1 FROM outbox_audit WHERE seen @> ?::bigint", next))
                .isEmpty();
    }

    @Test
    void an_erasure_waits_for_an_event_of_its_key_that_is_being_added() throws Exception {
        var key = UUID.randomUUID();
        try (var adding = database.getConnection();
                var statement = adding.createStatement()) {
            adding.setAutoCommit(false);
            statement.execute(WITHOUT_TIMEOUTS);
            statement.execute("SELECT pg_advisory_xact_lock(hashtextextended('customer-service', 0))");
            statement.execute("""
                    INSERT INTO outbox (topic, key, type, source, version, schema, payload)
                    VALUES ('customer-service', '%s', 'Any', 'order-service', 1, 1, '{}')
                    """.formatted(key));
            var erasure = inItsOwnThread(() -> QuarkusTransaction.requiringNew().run(() -> {
                try {
                    sql().execute(WITHOUT_TIMEOUTS);
                    outbox.erase(key);
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            }));
            awaitThatItWaits(erasure, "%pg_advisory_xact_lock_shared%");
            adding.commit();
            erasure.get(30, TimeUnit.SECONDS);
        }
        assertThat(sql().number("SELECT count(*) FROM outbox WHERE key = ? AND payload IS NOT NULL", key.toString()))
                .isZero();
    }

    private List<Long> seqs(String key) throws SQLException {
        return sql().strings("SELECT seq FROM outbox WHERE key = ? ORDER BY seq", key).stream()
                .map(Long::valueOf)
                .toList();
    }

    /** Not in the common pool, which has one thread on a machine of two cores. */
    private static CompletableFuture<Void> inItsOwnThread(Runnable work) {
        return CompletableFuture.runAsync(work, Thread::startVirtualThread);
    }

    private void awaitThatItWaits(CompletableFuture<Void> work, String query) {
        await().until(() -> work.isDone() || sql().number("""
                        SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE ?
                        """, query) > 0);
        assertThat(work).isNotDone();
    }

    @Test
    void a_record_that_only_claims_to_come_from_the_relay_is_ignored_and_counted() throws SQLException {
        var before = ignored();

        auditor.receive(claiming(
                List.of("9223372036854775807", "9223372036854775808", "0", "-1", "", "one", "1e9"), List.of("{}")));
        assertThat(ignored()).isEqualTo(before + 7);

        var times = List.of("-1000000000-01-01T00:00:00Z", "+1000000000-12-31T23:59:59Z", "never");
        for (var i = 0; i < 3; i++) {
            recordHeartbeat("claimed", 500);
        }
        var rows = seqs("claimed");
        auditor.receive(claiming(
                rows.stream().map(String::valueOf).toList(),
                times.stream().map("{\"at\":\"%s\"}"::formatted).toList()));

        assertThat(ignored()).isEqualTo(before + 10);
        assertThat(sql().strings("SELECT seen::text FROM outbox_audit"))
                .containsExactly("{[%d,%d)}".formatted(rows.getFirst(), rows.getLast() + 1));
    }

    /** No topic has such a name: it stands for whatever else the database may reject. */
    @Test
    void what_the_database_rejects_is_counted_and_the_channel_goes_on() throws SQLException {
        recordHeartbeat("rejected", 500);
        var rows = seqs("rejected").stream().map(String::valueOf).toList();
        var before = ignored();

        auditor.receive(claiming("\0", rows, List.of("{}")));

        assertThat(ignored()).isEqualTo(before + 1);
        relay("rejected");
    }

    private double ignored() {
        return metrics.get("orderly.outbox.audit.ignored").counter().count();
    }

    /** Heartbeats, as many as there are numbers. */
    private static ConsumerRecords<String, byte[]> claiming(List<String> seqs, List<String> values) {
        return claiming(OutboxHeartbeat.TOPIC, seqs, values);
    }

    private static ConsumerRecords<String, byte[]> claiming(String topic, List<String> seqs, List<String> values) {
        var partition = new TopicPartition(topic, 0);
        var records = new ArrayList<ConsumerRecord<String, byte[]>>();
        for (var i = 0; i < seqs.size(); i++) {
            var record = new ConsumerRecord<>(
                    partition.topic(),
                    0,
                    i,
                    "order-service",
                    values.get(i % values.size()).getBytes(UTF_8));
            record.headers().add(EventHeaders.SOURCE, "order-service".getBytes(UTF_8));
            record.headers().add(EventHeaders.SEQ, seqs.get(i).getBytes(UTF_8));
            records.add(record);
        }
        return new ConsumerRecords<>(Map.of(partition, records), Map.of());
    }

    private void recordEvent(String key, long secondsAgo) throws SQLException {
        record(Topic.ORDERS.topicName(), key, secondsAgo);
    }

    private void recordHeartbeat(String key, long secondsAgo) throws SQLException {
        record(OutboxHeartbeat.TOPIC, key, secondsAgo);
    }

    private void record(String topic, String key, long secondsAgo) throws SQLException {
        sql().execute("""
                INSERT INTO outbox (topic, key, type, source, version, schema, payload, recorded_at)
                VALUES (?, ?, 'Any', 'order-service', 1, 1, '{}', now() - ? * interval '1 s')
                """, topic, key, secondsAgo);
    }

    private long copies(String key) throws SQLException {
        return sql().number("SELECT count(*) FROM outbox WHERE key = ?", key);
    }

    /** Sends the rows of a key as Debezium would, and returns when the auditor has marked them. */
    private void relay(String key) throws SQLException {
        var rows = sql().strings("SELECT seq || ' ' || topic FROM outbox WHERE key = ?", key);
        assertThat(rows).isNotEmpty();
        try (var topic = new OrderTopic()) {
            for (var row : rows) {
                var columns = row.split(" ");
                var record = new ProducerRecord<>(columns[1], key, "{}".getBytes(UTF_8));
                record.headers().add(EventHeaders.SOURCE, "order-service".getBytes(UTF_8));
                record.headers().add(EventHeaders.SEQ, columns[0].getBytes(UTF_8));
                topic.publish(List.of(record));
            }
        }
        for (var row : rows) {
            await().atMost(Duration.ofSeconds(30))
                    .until(() ->
                            sql().number("SELECT count(*) FROM outbox_audit WHERE seen @> ?::bigint", row.split(" ")[0])
                                    == 1);
        }
    }
}
