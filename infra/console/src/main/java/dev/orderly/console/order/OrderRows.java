package dev.orderly.console.order;

import dev.orderly.console.demo.DemoDatabases;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

/** The rows that an order has left in the services' databases. */
@ApplicationScoped
class OrderRows {

    /** The database of each publisher. */
    private static final Map<String, String> DATABASES = Map.of(
            "order-service", "orders",
            "inventory-service", "inventory",
            "payment-service", "payments",
            "notification-service", "notifications");

    // By sequence number within the minute around the events: the table's key is (recorded_at, seq).
    private static final String OUTBOX = """
            SELECT seq, id, topic, type, source, version, traceparent, recorded_at AS "recordedAt"
            FROM outbox
            WHERE recorded_at BETWEEN to_timestamp(? / 1000.0) - interval '30 seconds'
                                  AND to_timestamp(? / 1000.0) + interval '30 seconds'
              AND seq = ANY(?) AND key = ?
            ORDER BY seq
            """;

    private static final String INBOX = """
            SELECT consumer, event_id AS "eventId", event_day AS day
            FROM inbox
            WHERE event_day IN (
                SELECT coalesce((uuid_extract_timestamp(id) AT TIME ZONE 'UTC')::date, DATE '1970-01-01')
                FROM unnest(?) AS id)
              AND event_id = ANY(?)
            ORDER BY event_id, consumer
            """;

    private static final String LEDGER = """
            SELECT id, kind, from_account AS "from", to_account AS "to", amount, currency, occurred_at AS at
            FROM transfer WHERE order_id = ? ORDER BY id
            """;

    private static final String RESERVATION = "SELECT status, items FROM reservation WHERE order_id = ?";

    private final DemoDatabases databases;

    OrderRows(DemoDatabases databases) {
        this.databases = databases;
    }

    record Rows(
            List<Map<String, Object>> outbox,
            List<Map<String, Object>> inbox,
            List<Map<String, Object>> ledger,
            List<Map<String, Object>> reservation) {}

    /** @return null where rows cannot be read: this is no demo. Of a database that is down there are none */
    Rows of(UUID order, List<EventReader.Found> events) {
        if (!databases.exist()) {
            return null;
        }
        return new Rows(
                outbox(order, events),
                inbox(events),
                databases.query("payments", LEDGER, order).orElse(List.of()),
                databases.query("inventory", RESERVATION, order).orElse(List.of()));
    }

    private List<Map<String, Object>> outbox(UUID order, List<EventReader.Found> events) {
        var bySource = new HashMap<String, List<EventReader.Found>>();
        events.forEach(
                event -> bySource.computeIfAbsent(event.headers().getOrDefault("source", ""), _ -> new ArrayList<>())
                        .add(event));
        var rows = new ArrayList<Map<String, Object>>();
        bySource.forEach((source, published) -> {
            var database = DATABASES.get(source);
            var numbers = published.stream()
                    .map(event -> number(event.headers().get("seq")))
                    .filter(Objects::nonNull)
                    .toArray(Long[]::new);
            if (database != null && numbers.length > 0) {
                var times = published.stream()
                        .mapToLong(EventReader.Found::timestamp)
                        .summaryStatistics();
                databases
                        .query(database, OUTBOX, times.getMin(), times.getMax(), numbers, order.toString())
                        .ifPresent(found -> rows.addAll(within(database, found)));
            }
        });
        return rows;
    }

    private List<Map<String, Object>> inbox(List<EventReader.Found> events) {
        var ids = events.stream()
                .map(event -> id(event.headers().get("id")))
                .filter(Objects::nonNull)
                .toArray(UUID[]::new);
        var rows = new ArrayList<Map<String, Object>>();
        for (var database : DemoDatabases.ALL) {
            databases.query(database, INBOX, ids, ids).ifPresent(found -> rows.addAll(within(database, found)));
        }
        return rows;
    }

    private static List<Map<String, Object>> within(String database, List<Map<String, Object>> rows) {
        rows.forEach(row -> row.put("database", database));
        return rows;
    }

    private static Long number(String text) {
        return text != null && text.matches("\\d{1,18}") ? (Long) Long.parseLong(text) : null;
    }

    private static UUID id(String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
