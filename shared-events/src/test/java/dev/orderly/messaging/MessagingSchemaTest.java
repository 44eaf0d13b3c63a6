package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the migrations of {@code db/messaging} promise. */
@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class MessagingSchemaTest extends IntegrationTest {

    private static final String RELAY = "orders_relay";

    @ConfigProperty(name = "quarkus.datasource.jdbc.url")
    String url;

    @ConfigProperty(name = "orderly.test.relay-password")
    String relayPassword;

    @Test
    void the_application_may_neither_change_nor_delete_what_it_has_published_or_seen() {
        for (var table : List.of("outbox", "inbox")) {
            assertThat(failureOf("DELETE FROM " + table)).contains("permission denied");
            assertThat(failureOf("TRUNCATE " + table)).contains("permission denied");
        }
        assertThat(failureOf("UPDATE outbox SET payload = '{}'")).contains("permission denied");
        for (var history : List.of("flyway_messaging_history", "flyway_schema_history")) {
            assertThat(failureOf("UPDATE " + history + " SET success = true")).contains("permission denied");
        }
        assertThat(failureOf("CREATE TABLE mine ()")).contains("permission denied");
    }

    /** They have grants of their own, which count when a statement names the partition. */
    @Test
    void nor_by_the_name_of_a_partition() throws SQLException {
        assertThat(sql().strings("""
                        SELECT inhrelid::regclass::text FROM pg_inherits
                        WHERE has_table_privilege(inhrelid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                        """)).isEmpty();
        assertThat(failureOf("DELETE FROM outbox_default")).contains("permission denied");
    }

    @Test
    void no_service_publishes_in_the_name_of_another() {
        assertThat(failureOf("""
                        INSERT INTO outbox (topic, key, type, source, version, schema, payload)
                        VALUES ('order-service', 'k', 'PaymentCaptured', 'payment-service', 1, 1, '{}')
                        """)).contains("violates check constraint \"outbox_source_is_own\"");
    }

    @Test
    void a_row_of_the_outbox_has_one_payload_and_bytes_name_what_they_are() {
        var row = "INSERT INTO outbox (topic, key, type, source, version, schema, payload, payload_bytes, content_type)"
                + " VALUES ('order-service', 'k', 'Any', 'order-service', 1, 1, %s, %s, %s)";

        assertThat(failureOf(row.formatted("NULL", "NULL", "NULL"))).contains("outbox_one_payload");
        assertThat(failureOf(row.formatted("'{}'", "'\\x00'", "'application/avro'")))
                .contains("outbox_one_payload");
        assertThat(failureOf(row.formatted("NULL", "'\\x00'", "NULL"))).contains("outbox_one_payload");
        assertThat(failureOf(row.formatted("NULL", "''", "'application/avro'"))).contains("outbox_one_payload");
        assertThat(failureOf(row.formatted("NULL", "decode(repeat('00', 262145), 'hex')", "'application/avro'")))
                .contains("outbox_one_payload");
    }

    @Test
    void the_application_may_not_replicate_but_has_its_slot_made() throws SQLException {
        assertThat(failureOf("SELECT pg_create_logical_replication_slot('mine', 'pgoutput')"))
                .contains("permission denied to use replication slots");
        assertThat(failureOf("SELECT pg_drop_replication_slot('outbox_orders')"))
                .contains("permission denied to use replication slots");
        sql().execute("SELECT create_outbox_slot()");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT FROM inbox",
                "SELECT FROM parked_event",
                "INSERT INTO outbox (topic, key, type, source, version, schema, payload)"
                        + " VALUES ('order-service', 'k', 'Any', 'order-service', 1, 1, '{}')",
                "UPDATE outbox SET payload = '{}'",
                "CREATE TABLE mine ()",
                "SELECT erase_from_outbox('k')",
                "SELECT pg_read_file('PG_VERSION')",
                "SELECT pg_logical_emit_message(true, 'any', 'any')",
                "SELECT lo_from_bytea(0, 'any')"
            })
    void the_relay_may_only_read_the_outbox(String statement) throws SQLException {
        try (var connection = DriverManager.getConnection(url, RELAY, relayPassword);
                var other = connection.createStatement()) {
            other.execute("SELECT FROM outbox");
            assertThatThrownBy(() -> other.execute(statement)).hasMessageContaining("permission denied");
        }
    }

    /** As pg_basebackup does. */
    @Test
    void the_relay_may_not_copy_the_server() {
        var physical = new Properties();
        physical.putAll(Map.of("user", RELAY, "password", relayPassword, "replication", "true"));
        // Else the driver does not ask for replication.
        physical.putAll(Map.of("assumeMinServerVersion", "9.4", "preferQueryMode", "simple"));
        assertThatThrownBy(() -> DriverManager.getConnection(url, physical).close())
                .hasMessageContaining("pg_hba.conf rejects replication connection");
    }

    @ParameterizedTest
    @ValueSource(strings = {"inventory", "postgres"})
    void no_role_connects_to_another_database(String other) {
        assertThatThrownBy(() -> DriverManager.getConnection(
                                url.replace("/orders?", "/" + other + "?"), RELAY, relayPassword)
                        .close())
                .hasMessageContaining("pg_hba.conf rejects connection");
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
