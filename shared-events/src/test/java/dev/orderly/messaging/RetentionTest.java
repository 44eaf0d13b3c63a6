package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.scheduler.Scheduler;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The owner dates things back, in place of a clock that jumps. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class RetentionTest extends IntegrationTest {

    @Inject
    Scheduler scheduler;

    private Connection asOwner;

    @BeforeEach
    void retain_only_here() throws SQLException {
        scheduler.pause();
        asOwner = connectAsOwner();
    }

    @AfterEach
    void the_day_is_today() throws SQLException {
        owner("UPDATE retention_day SET day = current_date, doubted_at = NULL, doubted_for = '0'");
        owner("UPDATE outbox_audit SET audited_until = now()");
        asOwner.close();
        scheduler.resume();
    }

    @Test
    void a_day_of_the_outbox_is_dropped_only_when_it_is_audited() throws SQLException {
        owner("UPDATE outbox_audit SET audited_until = current_date - 8");
        createPartition("outbox", 10);
        createPartition("outbox", 8);

        sql().execute("SELECT maintain_partitions('outbox')");

        assertThat(exists("outbox", 10)).as("audited").isFalse();
        assertThat(exists("outbox", 8)).as("the audit is within this day").isTrue();

        owner("UPDATE outbox_audit SET audited_until = now()");
        sql().execute("SELECT maintain_partitions('outbox')");
        assertThat(exists("outbox", 8)).isFalse();
    }

    @Test
    void a_clock_that_has_jumped_ahead_drops_nothing_for_a_day_however_many_instances_ask() throws SQLException {
        // As if now were ten days after the last run.
        owner("UPDATE retention_day SET day = current_date - 10");
        createPartition("inbox", 20);
        runTwoInstances();
        for (var hour = 1; hour < 24; hour++) {
            letPass("1 h");
            runTwoInstances();
        }
        assertThat(exists("inbox", 20))
                .as("what 15 days before the trusted day is kept")
                .isTrue();

        letPass("1 h");
        runTwoInstances();
        assertThat(exists("inbox", 20))
                .as("after a long time off it is the clock that is right")
                .isFalse();
    }

    @Test
    void a_clock_that_jumps_on_while_it_is_in_doubt_is_believed_no_sooner() throws SQLException {
        owner("UPDATE retention_day SET day = current_date - 10");
        runTwoInstances();

        letPass("5 days");
        runTwoInstances();

        assertThat(sql().number("SELECT extract(hours FROM doubted_for)::int FROM retention_day"))
                .isEqualTo(1);
    }

    private void runTwoInstances() throws SQLException {
        for (var instance = 0; instance < 2; instance++) {
            sql().execute("SELECT advance_retention_day()");
            sql().execute("SELECT maintain_partitions('inbox')");
        }
    }

    private void letPass(String time) throws SQLException {
        owner("UPDATE retention_day SET doubted_at = now() - interval '%s'".formatted(time));
    }

    @Test
    void the_day_follows_the_clock_from_one_day_to_the_next() throws SQLException {
        owner("UPDATE retention_day SET day = current_date - 1");
        sql().execute("SELECT advance_retention_day()");
        assertThat(sql().number("SELECT current_date - day FROM retention_day")).isZero();
    }

    @Test
    void rows_of_a_default_partition_are_deleted_when_too_old() throws SQLException {
        sql().execute("INSERT INTO inbox VALUES ('1970-01-01', 'any-group', gen_random_uuid())");
        sql().execute("INSERT INTO inbox VALUES (current_date + 30, 'any-group', gen_random_uuid())");

        sql().execute("SELECT apply_row_retention(1000)");

        assertThat(sql().strings("SELECT event_day - current_date FROM inbox_default WHERE consumer = 'any-group'"))
                .containsExactly("30");
    }

    @Test
    void what_an_operator_did_is_kept_and_the_payload_is_not() throws SQLException {
        sql().execute("""
                INSERT INTO parked_event_audit (done_at, action, operator, why, event)
                VALUES (now() - interval '40 days', 'DISCARD', 'ann', 'old', '{"key": "k", "payload": "secret"}'),
                    (now(), 'DISCARD', 'ann', 'new', '{"key": "k", "payload": "secret"}')
                """);

        sql().execute("SELECT apply_row_retention(1000)");

        assertThat(sql().strings("""
                        SELECT why || ' ' || event::text FROM parked_event_audit
                        WHERE operator = 'ann' AND why IN ('old', 'new') ORDER BY done_at
                        """))
                .containsExactly("old {\"key\": \"k\"}", "new {\"key\": \"k\", \"payload\": \"secret\"}");
    }

    private void createPartition(String parent, int daysAgo) throws SQLException {
        var day = LocalDate.now(ZoneOffset.UTC).minusDays(daysAgo);
        owner("CREATE TABLE %s PARTITION OF %s FOR VALUES FROM ('%s') TO ('%s')"
                .formatted(name(parent, day), parent, day, day.plusDays(1)));
    }

    private boolean exists(String parent, int daysAgo) throws SQLException {
        var name = name(parent, LocalDate.now(ZoneOffset.UTC).minusDays(daysAgo));
        return sql().number("SELECT count(*) FROM pg_class WHERE relname = ?", name) == 1;
    }

    private static String name(String parent, LocalDate day) {
        return parent + '_' + day.format(DateTimeFormatter.BASIC_ISO_DATE);
    }

    private void owner(String sql) throws SQLException {
        try (var statement = asOwner.createStatement()) {
            statement.execute(sql);
        }
    }
}
