package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.database.Atomic;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class AtomicTest extends IntegrationTest {

    @Inject
    TwoStatements statements;

    @Test
    void what_precedes_a_failed_statement_is_rolled_back() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> statements.run(order, "SELECT 1 / 0")).isInstanceOf(SQLException.class);
        assertThat(effects(order)).isEmpty();

        statements.run(order, "SELECT 1 / 1");
        assertThat(effects(order)).hasSize(1);
    }

    @ApplicationScoped
    static class TwoStatements {

        private final DataSource database;

        TwoStatements(DataSource database) {
            this.database = database;
        }

        @Atomic
        void run(UUID order, String second) throws SQLException {
            try (var connection = database.getConnection();
                    var insert = connection.prepareStatement("INSERT INTO effect (order_id, type) VALUES (?, 'any')");
                    var then = connection.prepareStatement(second)) {
                insert.setObject(1, order);
                insert.executeUpdate();
                then.execute();
            }
        }
    }
}
