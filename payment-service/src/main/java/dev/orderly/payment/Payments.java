package dev.orderly.payment;

import static dev.orderly.messaging.Columns.column;

import dev.orderly.events.Money;
import dev.orderly.payment.Payment.Status;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/** The payments of all orders, one row each. */
@ApplicationScoped
class Payments {

    private static final String COLUMNS = "order_id, customer_id, status, amount, currency, reason, occurred_at";

    // The condition repeats the one legal change of a stored payment: a payment that somebody else settled meanwhile is
    // not overwritten, but missing in the count.
    private static final String SAVE = """
            INSERT INTO payment (order_id, customer_id, status, amount, currency, reason, occurred_at)
            SELECT * FROM unnest(?::uuid[], ?::uuid[], ?::text[], ?::bigint[], ?::text[], ?::text[], ?::timestamptz[])
            ORDER BY 1
            ON CONFLICT (order_id) DO UPDATE
            SET status = excluded.status, reason = excluded.reason, occurred_at = excluded.occurred_at
            WHERE payment.status = 'CAPTURED' AND excluded.status = 'REFUNDED'
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

    /** Stores what became of payments that the current transaction has locked, or that were not there. */
    void save(Collection<Payment> payments) throws SQLException {
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
            save.setObject(6, column(rows, Payment::reason, String[]::new));
            save.setObject(7, column(rows, payment -> payment.occurredAt().toString(), String[]::new));
            var saved = save.executeUpdate();
            if (saved != rows.size()) {
                throw new IllegalStateException(
                        "of " + rows.size() + " payments, " + (rows.size() - saved) + " were settled by somebody else");
            }
        }
    }

    private static Payment payment(ResultSet row) throws SQLException {
        var currency = row.getString("currency");
        return new Payment(
                row.getObject("order_id", UUID.class),
                row.getObject("customer_id", UUID.class),
                Status.valueOf(row.getString("status")),
                currency == null ? null : Money.of(row.getLong("amount"), currency),
                row.getString("reason"),
                row.getObject("occurred_at", OffsetDateTime.class).toInstant());
    }
}
