package dev.orderly.database;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.messaging.IntegrationTest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class RetentionJobTest extends IntegrationTest {

    @Inject
    DataSource dataSource;

    @Test
    void a_rule_that_takes_too_long_does_not_stop_those_after_it() throws SQLException {
        var sql = sql();
        var metrics = new SimpleMeterRegistry();
        sql.execute("INSERT INTO effect (order_id, type) VALUES (gen_random_uuid(), 'any')");
        sql.execute("INSERT INTO inbox VALUES ('1970-01-01', 'any-group', gen_random_uuid())");
        asOwner("""
                INSERT INTO row_retention (relation, days, condition) VALUES ('effect', 1, 'pg_sleep(60) IS NOT NULL')
                """);

        try {
            new RetentionJob(dataSource, metrics).applyRowRetention();
        } finally {
            asOwner("DELETE FROM row_retention WHERE relation = 'effect'");
        }

        assertThat(sql.strings("SELECT event_id FROM inbox_default WHERE event_day = '1970-01-01'"))
                .isEmpty();
        assertThat(metrics.get("orderly.retention.failures").counter().count()).isEqualTo(1);
    }

    private void asOwner(String statement) throws SQLException {
        try (var connection = connectAsOwner();
                var any = connection.createStatement()) {
            any.execute(statement);
        }
    }
}
