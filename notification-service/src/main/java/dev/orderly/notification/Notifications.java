package dev.orderly.notification;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.messaging.GaugeQuery;
import dev.orderly.notification.DeliveryAttempt.DeliveryOutcome;
import dev.orderly.notification.Message.Channel;
import dev.orderly.notification.Message.Kind;
import dev.orderly.notification.Notification.State;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Messages and their delivery status. All times are the database's: a lease must end at the same moment for
 * every instance, whatever their clocks say.
 */
@ApplicationScoped
class Notifications {

    // Sorted, so that two owners of a partition, as in a rebalance, wait for each other and do not deadlock.
    private static final String INSERT = """
            INSERT INTO notification (:columns) SELECT :columns FROM :rows
            ORDER BY reference_id, kind
            ON CONFLICT DO NOTHING
            """;

    // In a WITH, which runs once: a subquery of the UPDATE might run again and lock more rows than LIMIT.
    private static final String CLAIM = """
            WITH due AS (
                SELECT reference_id, kind, customer_id
                FROM notification
                WHERE state = 'PENDING' AND due_at <= now() AND %s
                ORDER BY due_at
                LIMIT ?
                FOR UPDATE SKIP LOCKED
            )
            UPDATE notification AS message
            SET attempts = attempts + 1, due_at = now() + ? * interval '1 ms'
            FROM due LEFT JOIN contact ON contact.customer_id = due.customer_id
            WHERE message.reference_id = due.reference_id AND message.kind = due.kind
            RETURNING message.reference_id, message.kind, message.customer_id, subject, body, expires_at, attempts,
                traceparent,
                CASE message.kind WHEN 'CODE' THEN contact.phone ELSE contact.mail END AS recipient
            """;

    // Not a parameter: the planner could not prove that the partial index of the channel applies.
    private static final Map<Channel, String> CLAIM_BY_CHANNEL =
            Map.of(Channel.MAIL, CLAIM.formatted("kind <> 'CODE'"), Channel.SMS, CLAIM.formatted("kind = 'CODE'"));

    private static final String CLAIM_MAIL_ABOUT_ORDERS = CLAIM.formatted("kind <> 'CODE' AND kind <> 'WELCOME'");

    // A success is a fact, whichever attempt reports it; a failure counts only from the latest attempt.
    private static final String SETTLE = """
            UPDATE notification AS message
            SET state = rows.state,
                sent_at = CASE rows.state WHEN 'SENT' THEN now() END,
                due_at = now() + rows.backoff * interval '1 ms',
                error = rows.error
            FROM :rows
            WHERE message.reference_id = rows.reference_id
              AND message.kind = rows.kind
              AND message.state = 'PENDING'
              AND (rows.state = 'SENT' OR message.attempts = rows.attempt)
            """;

    /** The condition is that of a partial index: other than by that, it would scan the history. */
    static final String CANCEL = """
            UPDATE notification AS message SET state = 'VOID', error = 'the customer was erased'
            FROM :rows
            WHERE message.customer_id = rows.customer_id AND state = 'PENDING' AND kind IN ('WELCOME', 'CODE')
            """;

    /** By the indexes of pending messages: as much work as there are. Welcome mails may wait on purpose. */
    private static final String PENDING = """
            SELECT metric, ARRAY['channel', channel], number
            FROM (SELECT 'mail' AS channel, count(*)::float8 AS messages, min(recorded_at) AS oldest
                  FROM notification WHERE state = 'PENDING' AND kind <> 'CODE' AND kind <> 'WELCOME'
                  UNION ALL
                  SELECT 'welcome-mail', count(*), min(recorded_at)
                  FROM notification WHERE state = 'PENDING' AND kind <> 'CODE' AND kind = 'WELCOME'
                  UNION ALL
                  SELECT 'sms', count(*), min(recorded_at)
                  FROM notification WHERE state = 'PENDING' AND kind = 'CODE')
            CROSS JOIN LATERAL (VALUES
                ('orderly.messages.pending', messages),
                ('orderly.messages.pending.oldest.age.seconds',
                 coalesce(extract(epoch FROM now() - oldest), 0)::float8)) AS gauge (metric, number)
            """;

    private static final String SELECT = """
            SELECT reference_id, kind, state, attempts, recorded_at, sent_at, error
            FROM notification
            WHERE reference_id = ? AND customer_id = coalesce(?, customer_id)
            ORDER BY recorded_at, kind
            """;

    private final DataSource database;
    private final DeferredWrites writes;

    Notifications(DataSource database, DeferredWrites writes) {
        this.database = database;
        this.writes = writes;
    }

    @Produces
    @Singleton
    static GaugeQuery gauges() {
        return new GaugeQuery(PENDING);
    }

    /**
     * Records messages as due in the current transaction; an existing one remains unchanged.
     *
     * @param traceparents of the sampled traces that messages belong to, by what they are about
     */
    void add(List<Message> messages, Map<UUID, String> traceparents) throws SQLException {
        Rows.of(messages)
                .uuid("reference_id", Message::referenceId)
                .text("kind", Message::kind)
                .uuid("customer_id", Message::customerId)
                .text("subject", Message::subject)
                .text("body", Message::body)
                .timestamptz("expires_at", Message::expiresAt)
                .text("traceparent", message -> traceparents.get(message.referenceId()))
                .updateLater(writes, INSERT);
    }

    /**
     * Starts an attempt for the messages of a channel that have been due longest. No other instance claims
     * them before the lease expires; an attempt whose instance crashes counts as well.
     *
     * @param coreOnly whether mails that are not about an order keep waiting
     */
    List<DeliveryAttempt> claim(Channel channel, boolean coreOnly, int limit, Duration lease) throws SQLException {
        var claim = coreOnly && channel == Channel.MAIL ? CLAIM_MAIL_ABOUT_ORDERS : CLAIM_BY_CHANNEL.get(channel);
        try (var connection = database.getConnection();
                var update = connection.prepareStatement(claim)) {
            update.setInt(1, limit);
            update.setLong(2, lease.toMillis());
            try (var rows = update.executeQuery()) {
                var attempts = new ArrayList<DeliveryAttempt>();
                while (rows.next()) {
                    var message = new Message(
                            rows.getObject("reference_id", UUID.class),
                            Kind.valueOf(rows.getString("kind")),
                            rows.getObject("customer_id", UUID.class),
                            rows.getString("subject"),
                            rows.getString("body"),
                            instant(rows, "expires_at"));
                    attempts.add(new DeliveryAttempt(
                            message,
                            rows.getString("recipient"),
                            rows.getInt("attempts"),
                            rows.getString("traceparent")));
                }
                return attempts;
            }
        }
    }

    void settle(List<DeliveryOutcome> outcomes) throws SQLException {
        Rows.of(outcomes)
                .uuid("reference_id", outcome -> outcome.attempt().message().referenceId())
                .text("kind", outcome -> outcome.attempt().message().kind())
                .integer("attempt", outcome -> outcome.attempt().number())
                .text("state", DeliveryOutcome::state)
                .bigint("backoff", outcome -> outcome.backoff().toMillis())
                .text("error", DeliveryOutcome::error)
                .update(database, SETTLE);
    }

    /**
     * Of erased customers, in the current transaction; mail about orders still goes to their aliases. The
     * errors of all their messages are blanked: a server may have quoted the address.
     */
    void cancelMessagesOf(Collection<UUID> customers) throws SQLException {
        Rows.of(customers).uuid("customer_id", customerId -> customerId).update(database, CANCEL);
        Rows.of(customers).uuid("customer_id", customerId -> customerId).update(database, """
                UPDATE notification AS message SET error = 'the customer was erased'
                FROM :rows
                WHERE message.customer_id = rows.customer_id AND error IS NOT NULL
                """);
    }

    /** @param onlyOf those to any other customer are not found; empty for those to all */
    List<Notification> find(UUID orderId, Optional<UUID> onlyOf) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(SELECT)) {
            select.setObject(1, orderId);
            select.setObject(2, onlyOf.orElse(null), Types.OTHER);
            try (var rows = select.executeQuery()) {
                var notifications = new ArrayList<Notification>();
                while (rows.next()) {
                    notifications.add(new Notification(
                            rows.getObject("reference_id", UUID.class),
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
