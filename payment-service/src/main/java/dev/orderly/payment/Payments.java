package dev.orderly.payment;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.CardToken;
import dev.orderly.events.Money;
import dev.orderly.messaging.GaugeQuery;
import dev.orderly.payment.Payment.Status;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Event;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
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
 * The payments of all orders, one row each; the {@linkplain Status#isOpen open} ones are also the queue of
 * calls to the gateway. The queue goes by the database's clock, which all instances share.
 */
@ApplicationScoped
class Payments {

    // A payment that an instance of the version before has stored is by card when it has a token.
    private static final String COLUMNS = "payment.order_id, customer_id, status, amount, currency,"
            + " by_card OR card_token IS NOT NULL AS by_card, card_token, reason, occurred_at, version";

    /** A new status of an open payment is a new call, due at once. */
    private static final String DUE_AT =
            "CASE WHEN rows.status IN ('REQUESTED', 'CANCELLING', 'REFUNDING') THEN now() END";

    private static final String INSERT =
            "INSERT INTO payment (:columns, due_at) SELECT :columns, " + DUE_AT + " FROM :rows ORDER BY order_id";

    private static final String UPDATE = """
            UPDATE payment
            SET status = rows.status, reason = rows.reason, occurred_at = rows.occurred_at, version = rows.version,
                attempts = 0, error = NULL, due_at = %s
            FROM :rows
            WHERE payment.order_id = rows.order_id
            """.formatted(DUE_AT);

    // Each WITH runs once. As a subquery of the UPDATE, it might run again and lock more rows than LIMIT.
    private static final String CLAIM = """
            WITH retries AS (
                SELECT order_id
                FROM payment
                WHERE due_at <= now() AND attempts > 0
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            ), initial AS (
                SELECT order_id
                FROM payment
                WHERE due_at <= now() AND attempts = 0
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            ), due AS (
                SELECT order_id FROM retries UNION ALL SELECT order_id FROM initial LIMIT ?
            )
            UPDATE payment
            SET attempts = attempts + 1, due_at = now() + ? * interval '1 ms'
            FROM due
            WHERE payment.order_id = due.order_id
            RETURNING\s""" + COLUMNS + ", attempts, traceparent";

    /** By the index of open payments: as much work as there are of these. */
    private static final String OPEN = """
            SELECT metric, ARRAY['status', lower(status)], number
            FROM (SELECT open.status, count(order_id)::float8 AS payments,
                         coalesce(extract(epoch FROM now() - min(occurred_at)), 0)::float8 AS age
                  FROM unnest(ARRAY['REQUESTED', 'CANCELLING', 'REFUNDING']) AS open (status)
                  LEFT JOIN payment ON payment.status = open.status AND due_at IS NOT NULL
                  GROUP BY open.status)
            CROSS JOIN LATERAL (VALUES ('orderly.payments.open', payments),
                                       ('orderly.payments.open.oldest.age.seconds', age)) AS gauge (metric, number)
            """;

    // Only the latest attempt may postpone, and only while the payment has not changed.
    private static final String POSTPONE = """
            UPDATE payment
            SET due_at = now() + ? * interval '1 ms', error = ?
            WHERE order_id = ? AND status = ? AND attempts = ? AND due_at IS NOT NULL
            """;

    private static final String GIVE_BACK = """
            UPDATE payment
            SET due_at = now(), attempts = attempts - 1
            WHERE order_id = ? AND status = ? AND attempts = ? AND due_at IS NOT NULL
            """;

    private final DataSource database;
    private final DeferredWrites writes;
    private final Event<CallsDue> callsDue;

    Payments(DataSource database, DeferredWrites writes, Event<CallsDue> callsDue) {
        this.database = database;
        this.writes = writes;
        this.callsDue = callsDue;
    }

    @Produces
    @Singleton
    static GaugeQuery gauges() {
        return new GaugeQuery(OPEN);
    }

    /** The current transaction has stored open payments: calls to the gateway are due after its commit. */
    record CallsDue() {}

    Optional<Payment> find(UUID orderId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("SELECT " + COLUMNS + " FROM payment WHERE order_id = ?")) {
            select.setObject(1, orderId);
            try (var rows = select.executeQuery()) {
                return rows.next() ? Optional.of(payment(rows)) : Optional.empty();
            }
        }
    }

    /** The stored payments of these orders, locked until the current transaction ends. */
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
     * Stores the payments of orders that had none. It fails when a concurrent transaction has added one:
     * overwriting that would lose a capture.
     *
     * @param traceparents by order, the trace that the payment belongs to
     */
    void add(Collection<Payment> added, Map<UUID, String> traceparents) throws SQLException {
        Rows.of(added)
                .uuid("order_id", Payment::orderId)
                .uuid("customer_id", Payment::customerId)
                .text("status", Payment::status)
                .bigint(
                        "amount",
                        payment -> payment.amount() == null
                                ? null
                                : payment.amount().amount())
                .text(
                        "currency",
                        payment -> payment.amount() == null
                                ? null
                                : payment.amount().currency())
                .bool("by_card", Payment::byCard)
                .text(
                        "card_token",
                        payment ->
                                payment.card() == null ? null : payment.card().value())
                .text("reason", Payment::reason)
                .timestamptz("occurred_at", Payment::occurredAt)
                .integer("version", Payment::version)
                .text("traceparent", payment -> traceparents.get(payment.orderId()))
                .updateLater(writes, INSERT);
        fireIfOpen(added);
    }

    /** Stores changes that were decided on payments which the current transaction has locked. */
    void update(Collection<Payment> changed) throws SQLException {
        Rows.of(changed)
                .uuid("order_id", Payment::orderId)
                .text("status", Payment::status)
                .text("reason", Payment::reason)
                .timestamptz("occurred_at", Payment::occurredAt)
                .integer("version", Payment::version)
                .updateEachLater(writes, UPDATE);
        fireIfOpen(changed);
    }

    private void fireIfOpen(Collection<Payment> payments) {
        if (payments.stream().anyMatch(payment -> payment.status().isOpen())) {
            callsDue.fire(new CallsDue());
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
     * Begins an attempt for the open payments that have been due longest. No other instance gets them before
     * the lease expires; an attempt counts even if its instance dies.
     *
     * @param max in all
     * @param maxRetries of payments that were attempted before; these go first
     */
    List<GatewayAttempt> claim(int max, int maxRetries, Duration lease) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(CLAIM)) {
            update.setInt(1, Math.min(maxRetries, max));
            update.setInt(2, max);
            update.setInt(3, max);
            update.setLong(4, lease.toMillis());
            var attempts = new ArrayList<GatewayAttempt>();
            try (var rows = update.executeQuery()) {
                while (rows.next()) {
                    attempts.add(
                            new GatewayAttempt(payment(rows), rows.getInt("attempts"), rows.getString("traceparent")));
                }
            }
            return attempts;
        }
    }

    /** Makes the payment of an attempt due again; false when it has changed, or was claimed again. */
    boolean postpone(GatewayAttempt attempt, Duration backoff, String error) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(POSTPONE)) {
            update.setLong(1, backoff.toMillis());
            update.setString(2, error);
            update.setObject(3, attempt.payment().orderId());
            update.setString(4, attempt.payment().status().name());
            update.setInt(5, attempt.number());
            return update.executeUpdate() == 1;
        }
    }

    /** Takes back an attempt that requested nothing: it does not count, and the payment is due at once. */
    void giveBack(GatewayAttempt attempt) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(GIVE_BACK)) {
            update.setObject(1, attempt.payment().orderId());
            update.setString(2, attempt.payment().status().name());
            update.setInt(3, attempt.number());
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
                row.getBoolean("by_card"),
                token == null ? null : new CardToken(token),
                row.getString("reason"),
                row.getObject("occurred_at", OffsetDateTime.class).toInstant(),
                row.getInt("version"));
    }
}
