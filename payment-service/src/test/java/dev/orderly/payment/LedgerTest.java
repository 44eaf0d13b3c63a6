package dev.orderly.payment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.test.junit.QuarkusTest;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the database rejects, whatever the application does. */
@QuarkusTest
class LedgerTest extends IntegrationTest {

    private static final String PERMISSION_DENIED = "42501";
    private static final String RESTRICTED = "23001";
    private static final String NOT_UNIQUE = "23505";
    private static final String CHECK_FAILED = "23514";

    @ConfigProperty(name = "quarkus.datasource.jdbc.url")
    String url;

    @ConfigProperty(name = "quarkus.flyway.username")
    String owner;

    @ConfigProperty(name = "quarkus.flyway.password")
    String ownerPassword;

    private UUID customer;

    @BeforeEach
    void open_an_account() {
        customer = customerWith(100);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE transfer SET amount = 1",
                "DELETE FROM transfer",
                "TRUNCATE transfer",
                "DELETE FROM balance",
                "TRUNCATE balance",
                "DELETE FROM payment",
                "TRUNCATE payment",
                "DROP TABLE transfer",
                "ALTER TABLE transfer DISABLE TRIGGER ledger_is_append_only"
            })
    void the_application_may_not_change_the_past(String sql) {
        assertRejected(() -> sql().execute(sql), PERMISSION_DENIED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"UPDATE transfer SET amount = 1", "DELETE FROM transfer WHERE false", "TRUNCATE transfer"})
    void nor_may_its_owner(String sql) {
        assertRejected(
                () -> {
                    try (var connection = DriverManager.getConnection(url, owner, ownerPassword);
                            var statement = connection.createStatement()) {
                        statement.execute(sql);
                    }
                },
                RESTRICTED);
    }

    @Test
    void a_balance_never_falls_below_zero() {
        assertRejected(
                () -> sql().execute("UPDATE balance SET amount = amount - 101 WHERE customer_id = ?", customer),
                CHECK_FAILED);
    }

    @Test
    void a_transfer_has_one_of_three_kinds_and_its_accounts() {
        assertRejected(() -> transfer("BONUS", "bank", customer(), null), CHECK_FAILED);
        assertRejected(() -> transfer("CAPTURE", customer(), "bank", UUID.randomUUID()), CHECK_FAILED);
        assertRejected(() -> transfer("REFUND", "merchant", customer(), null), CHECK_FAILED);
        assertRejected(() -> transfer("DEPOSIT", customer(), customer(), null), CHECK_FAILED);
    }

    @Test
    void no_order_is_captured_twice() throws SQLException {
        var order = UUID.randomUUID();
        try (var connection = database.getConnection()) {
            connection.setAutoCommit(false);
            var sql = insert("CAPTURE", customer(), "merchant", order);
            try (var statement = connection.createStatement()) {
                statement.execute(sql);

                assertRejected(() -> statement.execute(sql), NOT_UNIQUE);
            }
            connection.rollback();
        }
        assertThat(sql().strings("SELECT id FROM transfer WHERE order_id = ?", order))
                .isEmpty();
    }

    private String customer() {
        return Transfer.account(customer);
    }

    private void transfer(String kind, String from, String to, UUID order) throws SQLException {
        sql().execute(insert(kind, from, to, order));
    }

    private static String insert(String kind, String from, String to, UUID order) {
        return """
                INSERT INTO transfer
                    (kind, from_account, to_account, amount, currency, order_id, customer_balance, occurred_at)
                VALUES ('%s', '%s', '%s', 1, 'EUR', %s, 99, now())
                """.formatted(kind, from, to, order == null ? "NULL" : "'" + order + "'");
    }

    private static void assertRejected(ThrowingCallable statement, String state) {
        assertThatThrownBy(statement)
                .isInstanceOfSatisfying(
                        SQLException.class,
                        rejected -> assertThat(rejected.getSQLState()).isEqualTo(state));
    }
}
