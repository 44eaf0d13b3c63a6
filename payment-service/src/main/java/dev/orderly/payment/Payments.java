package dev.orderly.payment;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.payment.Payment.Status;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The payments of all orders, one row each; those that are {@linkplain Status#isOpen open} are also the queue of what the
 * gateway is to be asked. Times of the queue are the database's: a lease must mean the same to every instance.
 */
@ApplicationScoped
class Payments {

    private static final String COLUMNS =
            "payment.order_id, customer_id, status, amount, currency, card_token, reason, occurred_at, version";

    // The condition repeats the legal changes of a stored payment: a payment that somebody else settled meanwhile is
    // not
    // overwritten, but missing in the count. A change of an open payment is a new question, due at once.
    private static final String SAVE = """
            INSERT INTO payment
                (order_id, customer_id, status, amount, currency, card_token, reason, occurred_at, version, traceparent,
                 due_at)
            SELECT *, CASE WHEN status IN ('REQUESTED', 'CANCELLING', 'REFUNDING') THEN now() END
            FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::timestamptz[],
                    ?::int[], ?::text[])
                AS changed (order_id, customer_id, status, amount, currency, card_token, reason, occurred_at, version,
                    traceparent)
            ORDER BY order_id
            ON CONFLICT (order_id) DO UPDATE
            SET status = excluded.status, reason = excluded.reason, occurred_at = excluded.occurred_at,
                version = excluded.version, due_at = excluded.due_at, attempts = 0, error = NULL
            WHERE (payment.status, excluded.status) IN (
                ('CAPTURED', 'REFUNDED'), ('CAPTURED', 'REFUNDING'), ('REFUNDING', 'REFUNDED'),
                ('REQUESTED', 'CAPTURED'), ('REQUESTED', 'DECLINED'), ('REQUESTED', 'CANCELLING'),
                ('CANCELLING', 'VOID'), ('CANCELLING', 'REFUNDING'), ('VOID', 'REFUNDING'), ('DECLINED', 'REFUNDING'))
            """;

    // Each WITH runs once: as a subquery of the UPDATE, the planner might run it again and lock more than LIMIT.
    private static final String CLAIM = """
            WITH again AS (
                SELECT order_id
                FROM payment
                WHERE due_at <= now() AND attempts > 0
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            ), first AS (
                SELECT order_id
                FROM payment
                WHERE due_at <= now() AND attempts = 0
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            ), due AS (
                SELECT order_id FROM again UNION ALL SELECT order_id FROM first LIMIT ?
            )
            UPDATE payment
            SET attempts = attempts + 1, due_at = now() + ? * interval '1 ms'
            FROM due
            WHERE payment.order_id = due.order_id
            RETURNING\s""" + COLUMNS + ", attempts";

    // Counts only from the one who made the last attempt, and while nothing has changed since.
    private static final String POSTPONE = """
            UPDATE payment
            SET due_at = now() + ? * interval '1 ms', error = ?
            WHERE order_id = ? AND status = ? AND attempts = ? AND due_at IS NOT NULL
            """;

    private final DataSource database;

    Payments(DataSource database) {
        this.database = database;
    }

    Optional<Payment> find(UUID orderId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT " + COLUMNS + " FROM payment WHERE order_id = ?")) {
            select.setObject(1, orderId);
            try (var rows = select.executeQuery()) {
                return rows.next() ? Optional.of(payment(rows)) : Optional.empty();
            }
        }
    }

    /** The payments of these orders, as far as there are any, locked until the current transaction ends. */
    Map<UUID, Payment> lock(Set<UUID> orderIds) throws SQLException {
        // Sorted, so that two transactions wait for each other instead of deadlocking.
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT " + COLUMNS
                        + " FROM payment WHERE order_id = ANY (?::uuid[]) ORDER BY order_id FOR UPDATE")) {
            select.setObject(1, orderIds.toArray(UUID[]::new));
            var payments = new HashMap<UUID, Payment>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var payment = payment(rows);
                    payments.put(payment.orderId(), payment);
                }
            }
            return payments;
        }
    }

    /**
     * Stores what became of payments that the current transaction has locked, or that were not there.
     *
     * @param traces by order, the trace that a payment which was not there belongs to; it keeps its first
     */
    void save(Collection<Payment> payments, Map<UUID, String> traces) throws SQLException {
        if (payments.isEmpty()) {
            return;
        }
        var rows = List.copyOf(payments);
        try (var connection = database.getConnection();
                var save = connection.prepareStatement(SAVE)) {
            save.setObject(1, column(rows, Payment::orderId, UUID[]::new));
            save.setObject(2, column(rows, Payment::customerId, UUID[]::new));
            save.setObject(3, column(rows, payment -> payment.status().name(), String[]::new));
            save.setObject(
                    4,
                    column(
                            rows,
                            payment -> payment.amount() == null
                                    ? null
                                    : payment.amount().amount(),
                            Long[]::new));
            save.setObject(
                    5,
                    column(
                            rows,
                            payment -> payment.amount() == null
                                    ? null
                                    : payment.amount().currency().getCurrencyCode(),
                            String[]::new));
            save.setObject(
                    6,
                    column(
                            rows,
                            payment -> payment.card() == null
                                    ? null
                                    : payment.card().value(),
                            String[]::new));
            save.setObject(7, column(rows, Payment::reason, String[]::new));
            save.setObject(8, column(rows, payment -> payment.occurredAt().toString(), String[]::new));
            save.setObject(9, column(rows, Payment::version, Integer[]::new));
            save.setObject(10, column(rows, payment -> traces.get(payment.orderId()), String[]::new));
            var saved = save.executeUpdate();
            if (saved != rows.size()) {
                throw new IllegalStateException(
                        "of " + rows.size() + " payments, " + (rows.size() - saved) + " were settled by somebody else");
            }
        }
    }

    /** The trace that a payment belongs to, or null. */
    String traceparent(UUID orderId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT traceparent FROM payment WHERE order_id = ?")) {
            select.setObject(1, orderId);
            try (var rows = select.executeQuery()) {
                return rows.next() ? rows.getString(1) : null;
            }
        }
    }

    /**
     * Begins an attempt for each of the open payments that have been due longest. Nobody else gets them before the lease
     * ends, and whoever dies meanwhile has had the attempt.
     *
     * @param limit of how many in all
     * @param again of how many that were attempted before; these go first
     */
    List<GatewayAttempt> claim(int limit, int again, Duration lease) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(CLAIM)) {
            update.setInt(1, Math.min(again, limit));
            update.setInt(2, limit);
            update.setInt(3, limit);
            update.setLong(4, lease.toMillis());
            var attempts = new ArrayList<GatewayAttempt>();
            try (var rows = update.executeQuery()) {
                while (rows.next()) {
                    attempts.add(new GatewayAttempt(payment(rows), rows.getInt("attempts")));
                }
            }
            return attempts;
        }
    }

    /** Makes a payment due again that an attempt has not settled; if something else has, that stands. */
    void postpone(GatewayAttempt attempt, Duration pause, String error) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(POSTPONE)) {
            update.setLong(1, pause.toMillis());
            update.setString(2, error);
            update.setObject(3, attempt.payment().orderId());
            update.setString(4, attempt.payment().status().name());
            update.setInt(5, attempt.number());
            update.executeUpdate();
        }
    }

    private static Payment payment(ResultSet row) throws SQLException {
        var currency = row.getString("currency");
        var token = row.getString("card_token");
        return new Payment(
                row.getObject("order_id", UUID.class),
                row.getObject("customer_id", UUID.class),
                Status.valueOf(row.getString("status")),
                currency == null ? null : Money.of(row.getLong("amount"), currency),
                token == null ? null : new CardToken(token),
                row.getString("reason"),
                row.getObject("occurred_at", OffsetDateTime.class).toInstant(),
                row.getInt("version"));
    }
}
