package dev.orderly;

import dev.orderly.testing.DatabaseUpgrade;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
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
}
