package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the migrations of {@code db/messaging} promise. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class MessagingSchemaTest extends IntegrationTest {

    @Test
    void the_application_may_neither_change_nor_delete_what_it_has_published_or_seen() {
        for (var table : List.of("outbox", "inbox")) {
            assertThat(failureOf("DELETE FROM " + table)).contains("permission denied");
            assertThat(failureOf("TRUNCATE " + table)).contains("permission denied");
        }
        assertThat(failureOf("UPDATE outbox SET payload = '{}'")).contains("permission denied");
        assertThat(failureOf("CREATE TABLE mine ()")).contains("permission denied");
    }

    @Test
    void partitions_are_ready_for_the_coming_days() throws SQLException {
        for (var table : List.of("outbox", "inbox")) {
            assertThat(sql().number("SELECT count(*) FROM pg_inherits WHERE inhparent = ?::regclass", table))
                    .isEqualTo(10);
        }
        assertThat(sql().strings("SELECT maintain_partitions()::text")).containsExactly("");
    }

    @Test
    void the_slot_and_its_publication_exist_before_the_first_write() throws SQLException {
        assertThat(sql().strings("SELECT plugin FROM pg_replication_slots WHERE slot_name = ?", "outbox_orders"))
                .containsExactly("pgoutput");
        assertThat(sql().strings("SELECT tablename FROM pg_publication_tables WHERE pubname = ?", "outbox"))
                .containsExactly("outbox");
    }
}
