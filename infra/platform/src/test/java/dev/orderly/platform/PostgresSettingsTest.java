package dev.orderly.platform;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.platform.config.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class PostgresSettingsTest {
    private static final int MIGRATION = 1;
    /** As {@code database.sql} limits a relay's role. */
    private static final int RELAY = 5;
    /** Of the launcher, of commands, and of an operator; three more are the superuser's alone. */
    private static final int OTHERS = 10;

    @Test
    void the_server_takes_the_connections_of_all_services_at_full_scale() throws IOException {
        int services = ServiceDefinition.all(Checkout.path(), 8080).size();
        int pool = number(
                "shared-events/src/main/resources/META-INF/microprofile-config.properties",
                "quarkus.datasource.jdbc.max-size");

        assertThat(number("infra/postgres/postgresql.conf", "max_connections"))
                .isGreaterThanOrEqualTo(services * (AutoScaler.MAX_INSTANCES * (pool + MIGRATION) + RELAY) + OTHERS);
    }

    /** A file of PostgreSQL's settings reads like one of properties. */
    private static int number(String file, String name) throws IOException {
        var settings = new Properties();
        try (var reader = Files.newBufferedReader(Checkout.path().resolve(file))) {
            settings.load(reader);
        }
        return Integer.parseInt(settings.getProperty(name));
    }
}
