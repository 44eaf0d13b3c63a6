package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.orderly.database.Atomic;
import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import jakarta.transaction.Transactional;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

@QuarkusTest
@TestProfile(IntegrationTest.Service.class)
class AtomicTest extends IntegrationTest {

    @Inject
    TwoStatements statements;

    @Inject
    Deferred deferred;

    @Test
    void what_precedes_a_failed_statement_is_rolled_back() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> statements.run(order, "SELECT 1 / 0")).isInstanceOf(SQLException.class);
        assertThat(effects(order)).isEmpty();

        statements.run(order, "SELECT 1 / 1");
        assertThat(effects(order)).hasSize(1);
    }

    @Test
    void what_precedes_any_other_checked_exception_is_rolled_back() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> statements.runAndFail(order)).isInstanceOf(IOException.class);

        assertThat(effects(order)).isEmpty();
    }

    @Test
    void deferred_writes_are_sent_together_in_their_order() throws SQLException {
        var order = UUID.randomUUID();

        deferred.write(order, "first", "second");

        assertThat(effects(order)).containsExactly("first", "second");
    }

    @Test
    void a_deferred_write_that_fails_rolls_back_those_before_it() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> deferred.write(order, "first", null)).isInstanceOf(SQLException.class);

        assertThat(effects(order)).isEmpty();
    }

    @Test
    void a_deferred_write_that_misses_a_row_rolls_back_those_before_it() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> deferred.writeAndChange(order, UUID.randomUUID()))
                .hasMessageContaining("of 1 rows only 0 exist");
        assertThat(effects(order)).isEmpty();

        deferred.writeAndChange(order, order);
        assertThat(effects(order)).containsExactly("changed");
    }

    @Test
    void a_transaction_that_forgets_to_send_them_is_not_committed() throws SQLException {
        var order = UUID.randomUUID();

        assertThatThrownBy(() -> deferred.forget(order)).hasStackTraceContaining("were never sent");

        assertThat(effects(order)).isEmpty();
    }

    @ApplicationScoped
    static class Deferred {

        private static final String INSERT = "INSERT INTO effect (order_id, type) SELECT order_id, type FROM :rows";

        private final DeferredWrites writes;

        Deferred(DeferredWrites writes) {
            this.writes = writes;
        }

        @Atomic
        void write(UUID order, String first, String second) throws SQLException {
            effect(order, first).updateLater(writes, INSERT);
            effect(order, second).updateLater(writes, INSERT);
        }

        @Atomic
        void writeAndChange(UUID written, UUID changed) throws SQLException {
            effect(written, "written").updateLater(writes, INSERT);
            effect(changed, "changed")
                    .updateEachLater(
                            writes,
                            "UPDATE effect SET type = rows.type FROM :rows WHERE effect.order_id = rows.order_id");
        }

        @Transactional
        void forget(UUID order) {
            effect(order, "forgotten").updateLater(writes, INSERT);
        }

        private static Rows<UUID> effect(UUID order, String type) {
            return Rows.of(List.of(order)).uuid("order_id", id -> id).text("type", _ -> type);
        }
    }

    @ApplicationScoped
    static class TwoStatements {

        private final DataSource database;

        TwoStatements(DataSource database) {
            this.database = database;
        }

        @Atomic
        void runAndFail(UUID order) throws SQLException, IOException {
            run(order, "SELECT 1");
            throw new IOException("of another system");
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
