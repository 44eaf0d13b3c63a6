package dev.orderly;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.testing.DatabaseUpgrade;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

@QuarkusTest
class UpgradeTest extends IntegrationTest {

    @Inject
    Flyway flyway;

    @Test
    void a_database_of_the_earlier_release_becomes_one_of_today_with_its_rows() throws Exception {
        DatabaseUpgrade.assertMigrates(flyway);
    }

    @Test
    void keys_past_their_retention_are_found_by_an_index() throws SQLException {
        assertThat(sql().plan("SELECT ctid FROM order_key WHERE used_at < now() LIMIT 1"))
                .anyMatch(line -> line.contains("Index Scan using order_key_by_age"));
        assertThat(sql().plan("SELECT ctid FROM registration_key WHERE used_at < now() LIMIT 1"))
                .anyMatch(line -> line.contains("Index Scan using registration_key_by_age"));
    }
}
