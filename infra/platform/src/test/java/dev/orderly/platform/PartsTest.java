package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What can be said without starting anything. */
class PartsTest {
    private static Settings settings(int brokers) {
        return new Settings(Launched.CHECKOUT, Path.of("/data"), brokers, Settings.Ports.USUAL, Set.of());
    }

    @Test
    void no_two_parts_share_a_port() {
        var services = Service.all(Launched.CHECKOUT, Settings.Ports.USUAL.http());

        var ports = PlatformPorts.inUse(settings(3), services, Platform.Scope.ALL);

        assertThat(ports).hasSize(1 + 3 + 3 + 1 + 2 + 1 + 1 + 4); // a map: shared ones would be one entry
        assertThat(settings(3).bootstrapServers()).isEqualTo("127.0.0.1:19092,127.0.0.1:19093,127.0.0.1:19094");
    }

    @Test
    void a_connector_has_its_own_database_slot_role_and_a_password_by_reference() {
        var postgres = new Databases(settings(3).infra(), "db", 5432, null);
        var connectors = new OutboxConnectors(
                settings(3).infra(),
                URI.create("http://connect"),
                postgres,
                List.of("payments"),
                "${env:%s}"::formatted);

        var configuration = connectors.configuration("payments");

        assertThat(configuration)
                .containsEntry("database.hostname", "db")
                .containsEntry("database.port", "5432")
                .containsEntry("database.dbname", "payments")
                .containsEntry("database.user", "payments_relay")
                .containsEntry("slot.name", "outbox_payments")
                .containsEntry("database.password", "${env:payments_relay}")
                .containsEntry("transforms.outbox.route.topic.replacement", "${routedByValue}");
        assertThat(configuration.values()).noneMatch(v -> v.contains("${database}") || v.contains("${postgres"));
    }

    @Test
    void the_last_complaint_of_a_log_is_its_meaningful_line() {
        assertThat(LogTail.meaningful(List.of(
                        "10:00 INFO  starting",
                        "10:01 ERROR no space left on device",
                        "java.io.IOException: No space left",
                        "\tat java.base/Files.write(Files.java:1)",
                        "\t... 12 more",
                        "10:02 INFO  shutting down")))
                .contains("java.io.IOException: No space left");
        assertThat(LogTail.meaningful(List.of("one", "two", ""))).contains("two");
        assertThat(LogTail.meaningful(List.of())).isEmpty();
    }
}
