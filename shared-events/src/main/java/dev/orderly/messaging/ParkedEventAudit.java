package dev.orderly.messaging;

import dev.orderly.events.Topic;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * What operators did with {@link ParkedEvents}, in the table {@code parked_event_audit}, which no service can
 * change: the subject of the token, the reason, and the event as it was. Of an event of an
 * {@linkplain Topic#isErasable erasable} topic the payload is left out.
 */
@ApplicationScoped
class ParkedEventAudit {

    /**
     * @param action REDRIVE or DISCARD
     * @param operator the subject of the token
     */
    record Action(
            Instant doneAt, String action, String operator, String why, String consumer, UUID eventId, String type) {}

    private final DataSource database;

    ParkedEventAudit(DataSource database) {
        this.database = database;
    }

    /** In the current transaction, and before the event is changed or deleted in it. */
    void add(ParkedEvent parked, String action, String operator, String why) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement("""
                        INSERT INTO parked_event_audit (action, operator, why, event)
                        SELECT ?, ?, ?, CASE WHEN ? THEN to_jsonb(parked) - 'payload' ELSE to_jsonb(parked) END
                        FROM parked_event parked WHERE seq = ?
                        """)) {
            insert.setString(1, action);
            insert.setString(2, operator);
            insert.setString(3, why);
            insert.setBoolean(4, Topic.isErasable(parked.topic()));
            insert.setLong(5, parked.seq());
            insert.executeUpdate();
        }
    }

    /** The newest first. */
    List<Action> newest(int limit) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement("""
                        SELECT done_at, action, operator, why, event ->> 'consumer', (event ->> 'event_id')::uuid,
                            event ->> 'type'
                        FROM parked_event_audit ORDER BY done_at DESC LIMIT ?
                        """)) {
            select.setInt(1, limit);
            var actions = new ArrayList<Action>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    actions.add(new Action(
                            rows.getObject(1, OffsetDateTime.class).toInstant(),
                            rows.getString(2),
                            rows.getString(3),
                            rows.getString(4),
                            rows.getString(5),
                            rows.getObject(6, UUID.class),
                            rows.getString(7)));
                }
            }
            return actions;
        }
    }
}
