package dev.orderly.platform.connect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.Checkout;
import dev.orderly.platform.config.Secrets;
import dev.orderly.platform.postgres.ServiceDatabases;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConnectorReconcilerTest {
    @Test
    void a_connector_has_its_own_database_slot_role_and_login_and_passwords_by_reference(@TempDir Path data) {
        var infra = Checkout.path().resolve("infra");
        var postgres = new ServiceDatabases(infra, "db", 5432, Secrets.of(data, List.of()));
        var connectors = new ConnectorReconciler(
                infra, URI.create("http://connect"), "", postgres, List.of("payments"), Path.of("/secrets"));

        var configuration = connectors.configuration("payments", "4711-00000001");

        assertThat(configuration)
                .containsEntry("database.hostname", "db")
                .containsEntry("database.port", "5432")
                .containsEntry("database.dbname", "payments")
                .containsEntry("database.user", "payments_relay")
                .containsEntry("topic.prefix", "payments-4711-00000001")
                .containsEntry("slot.name", "outbox_payments")
                .containsEntry("database.password", "${secrets:/secrets:PAYMENTS_RELAY_PASSWORD}")
                .containsEntry(
                        "producer.override.sasl.jaas.config",
                        "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"relay-payments\""
                                + " password=\"${secrets:/secrets:KAFKA_RELAY_PAYMENTS_PASSWORD}\";")
                .containsEntry("transforms.outbox.route.topic.replacement", "${routedByValue}");
        assertThat(configuration.values())
                .noneMatch(v -> v.contains("${database}") || v.contains("${cluster}") || v.contains("${postgres"));
    }
}
