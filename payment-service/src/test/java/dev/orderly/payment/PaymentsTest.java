package dev.orderly.payment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.orderly.database.UuidV7;
import io.quarkus.test.TestTransaction;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.SQLException;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

/** The queue of calls to the gateway, in transactions that the dispatcher does not see. */
@QuarkusTest
class PaymentsTest extends IntegrationTest {

    @Inject
    Payments payments;

    @ConfigProperty(name = "quarkus.datasource.jdbc.acquisition-timeout")
    Duration acquisitionTimeout;

    @Test
    @TestTransaction
    void an_attempt_that_is_given_back_does_not_count_and_is_due_at_once() throws SQLException {
        var order = UuidV7.next();
        sql().execute("""
                INSERT INTO payment (order_id, customer_id, status, amount, currency, by_card, card_token, occurred_at,
                                     version, due_at, attempts)
                VALUES (?, gen_random_uuid(), 'REQUESTED', 1000, 'EUR', true, 'tok_ok', now(), 0,
                        now() + interval '1 minute', 3)
                """, order);
        var payment = payments.find(order).orElseThrow();

        payments.giveBack(new GatewayAttempt(payment, 2, null)); // its lease has expired
        assertThat(attempts(order)).containsExactly("3 leased");
        payments.giveBack(new GatewayAttempt(payment, 3, null));
        assertThat(attempts(order)).containsExactly("2 due");
    }

    /** The settings are elsewhere, and the lease is written for them. */
    @Test
    void a_lease_outlasts_two_requests_a_wait_for_a_connection_and_the_longest_transaction() throws SQLException {
        var transaction =
                sql().number("SELECT extract(epoch FROM current_setting('transaction_timeout')::interval)::int");

        assertThat(GatewayDispatcher.LEASE)
                .isGreaterThan(Duration.ofMillis(2 * GatewayClient.MAX_REQUEST_MILLIS)
                        .plus(acquisitionTimeout)
                        .plusSeconds(transaction));
    }

    private Iterable<String> attempts(Object order) throws SQLException {
        return sql().strings("""
                SELECT attempts || CASE WHEN due_at <= now() THEN ' due' ELSE ' leased' END
                FROM payment WHERE order_id = ?
                """, order);
    }
}
