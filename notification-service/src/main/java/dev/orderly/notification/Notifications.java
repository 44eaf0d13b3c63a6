package dev.orderly.notification;

import static dev.orderly.database.SqlArrays.column;

import dev.orderly.notification.DeliveryAttempt.Outcome;
import dev.orderly.notification.Message.Channel;
import dev.orderly.notification.Message.Kind;
import dev.orderly.notification.Notification.State;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * The letters, sent or not. All times are the database's: a claim must mean the same to every instance, whatever their
 * clocks say.
 */
@ApplicationScoped
class Notifications {

    // Sorted, so that two owners of a partition, as in a rebalance, wait for each other instead of deadlocking.
    private static final String INSERT = """
            INSERT INTO notification (about, kind, customer_id, subject, body, expires_at)
            SELECT * FROM unnest(?::uuid[], ?::text[], ?::uuid[], ?::text[], ?::text[], ?::timestamptz[])
                AS letter (about, kind, customer_id, subject, body, expires_at)
            ORDER BY about, kind
            ON CONFLICT DO NOTHING
            """;

    // In a WITH, which runs once: as a subquery of the UPDATE, the planner might run it again and lock more than LIMIT.
    private static final String CLAIM = """
            WITH due AS (
                SELECT about, kind, customer_id
                FROM notification
                WHERE state = 'PENDING' AND due_at <= now() AND %s
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            )
            UPDATE notification
            SET attempts = attempts + 1, due_at = now() + ? * interval '1 ms'
            FROM due LEFT JOIN contact ON contact.customer_id = due.customer_id
            WHERE notification.about = due.about AND notification.kind = due.kind
            RETURNING notification.about, notification.kind, notification.customer_id, subject, body, expires_at, attempts,
                CASE notification.kind WHEN 'CODE' THEN contact.phone ELSE contact.mail END AS address
            """;

    // No parameter: the planner could not know then which of the two indexes to take.
    private static final Map<Channel, String> CLAIM_OF =
            Map.of(Channel.MAIL, CLAIM.formatted("kind <> 'CODE'"), Channel.SMS, CLAIM.formatted("kind = 'CODE'"));

    // That a letter was sent is true whoever says it; that it was not counts only from the one who made the last
    // attempt.
    private static final String SETTLE = """
            UPDATE notification
            SET state = outcome.state,
                sent_at = CASE outcome.state WHEN 'SENT' THEN now() END,
                due_at = now() + outcome.pause * interval '1 ms',
                error = outcome.error
            FROM unnest(?::uuid[], ?::text[], ?::int[], ?::text[], ?::bigint[], ?::text[])
                AS outcome (about, kind, attempt, state, pause, error)
            WHERE notification.about = outcome.about
              AND notification.kind = outcome.kind
              AND notification.state = 'PENDING'
              AND (outcome.state = 'SENT' OR notification.attempts = outcome.attempt)
            """;

    private static final String SELECT = """
            SELECT about, kind, state, attempts, recorded_at, sent_at, error
            FROM notification
            WHERE about = ?
            ORDER BY recorded_at, kind
            """;

    private final DataSource database;

    Notifications(DataSource database) {
        this.database = database;
    }

    /** Records letters as due, in the current transaction; one that is there already stays as it is. */
    void add(List<Message> letters) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(INSERT)) {
            insert.setObject(1, column(letters, Message::about, UUID[]::new));
            insert.setObject(2, column(letters, letter -> letter.kind().name(), String[]::new));
            insert.setObject(3, column(letters, Message::customerId, UUID[]::new));
            insert.setObject(4, column(letters, Message::subject, String[]::new));
            insert.setObject(5, column(letters, Message::body, String[]::new));
            insert.setObject(
                    6,
                    column(
                            letters,
                            letter -> letter.expiresAt() == null
                                    ? null
                                    : letter.expiresAt().toString(),
                            String[]::new));
            insert.executeUpdate();
        }
    }

    /**
     * Begins an attempt for each of the letters of a channel that have been due longest. Nobody else gets them before the
     * lease ends, and whoever dies meanwhile has had the attempt.
     *
     * @param limit of how many letters
     */
    List<DeliveryAttempt> claim(Channel channel, int limit, Duration lease) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(CLAIM_OF.get(channel))) {
            update.setInt(1, limit);
            update.setLong(2, lease.toMillis());
            try (var rows = update.executeQuery()) {
                var attempts = new ArrayList<DeliveryAttempt>();
                while (rows.next()) {
                    var letter = new Message(
                            rows.getObject("about", UUID.class),
                            Kind.valueOf(rows.getString("kind")),
                            rows.getObject("customer_id", UUID.class),
                            rows.getString("subject"),
                            rows.getString("body"),
                            instant(rows, "expires_at"));
                    attempts.add(new DeliveryAttempt(letter, rows.getString("address"), rows.getInt("attempts")));
                }
                return attempts;
            }
        }
    }

    void settle(List<Outcome> outcomes) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(SETTLE)) {
            update.setObject(
                    1, column(outcomes, outcome -> outcome.attempt().letter().about(), UUID[]::new));
            update.setObject(
                    2,
                    column(
                            outcomes,
                            outcome -> outcome.attempt().letter().kind().name(),
                            String[]::new));
            update.setObject(3, column(outcomes, outcome -> outcome.attempt().number(), Integer[]::new));
            update.setObject(4, column(outcomes, outcome -> outcome.state().name(), String[]::new));
            update.setObject(5, column(outcomes, outcome -> outcome.pause().toMillis(), Long[]::new));
            update.setObject(6, column(outcomes, Outcome::error, String[]::new));
            update.executeUpdate();
        }
    }

    /** What nobody is to be told any more who was erased. */
    void voidThoseOf(Collection<UUID> customers) throws SQLException {
        try (var connection = database.getConnection();
                var update = connection.prepareStatement("""
                        UPDATE notification SET state = 'VOID', error = 'the customer was erased'
                        WHERE state = 'PENDING' AND kind IN ('WELCOME', 'CODE') AND customer_id = ANY (?)
                        """)) {
            update.setObject(1, customers.toArray(UUID[]::new));
            update.executeUpdate();
        }
    }

    List<Notification> about(UUID order) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(SELECT)) {
            select.setObject(1, order);
            try (var rows = select.executeQuery()) {
                var notifications = new ArrayList<Notification>();
                while (rows.next()) {
                    notifications.add(new Notification(
                            rows.getObject("about", UUID.class),
                            Kind.valueOf(rows.getString("kind")),
                            State.valueOf(rows.getString("state")),
                            rows.getInt("attempts"),
                            instant(rows, "recorded_at"),
                            instant(rows, "sent_at"),
                            rows.getString("error")));
                }
                return notifications;
            }
        }
    }

    private static Instant instant(ResultSet rows, String column) throws SQLException {
        var time = rows.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
