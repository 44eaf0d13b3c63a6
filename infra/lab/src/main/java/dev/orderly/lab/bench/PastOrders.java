package dev.orderly.lab.bench;

import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.time.Duration;

/** Confirmed orders of the past, a second apart, in every table of order-service that grows with orders. */
final class PastOrders {
    private static final int BATCH = 50_000;
    private static final int MAX_RELAY_LAG_BYTES = 256 << 20;
    private static final Duration MAX_LAG_TIME = Duration.ofMinutes(5);

    private static final String INSERT = """
            WITH past AS (
                INSERT INTO orders (id, customer_id, status, lines, total, currency, payment_method, placed_at, version)
                SELECT uuidv7(-interval '1 d' - interval '1 s' * n),
                       ('0198c6a2-0000-7000-8000-' || lpad((n %% 1000)::text, 12, '0'))::uuid, 'CONFIRMED',
                       '[{"sku":"bench-1","quantity":1,"unitPrice":{"amount":1,"currency":"EUR"}}]',
                       1, 'EUR', 'BALANCE',
                       now() - interval '1 d' - interval '1 s' * n, 2
                FROM generate_series(%2$d, %1$d, -1) AS n
                RETURNING *
            ), viewed AS (
                INSERT INTO order_view
                SELECT id, customer_id, status, reason, lines, total, currency, payment_method, placed_at, version, 4
                FROM past
            ), timeline AS (
                INSERT INTO order_view_event
                    (order_id, position, type, status, source, version, occurred_at, partition, "offset")
                SELECT id, event.position, event.type, event.status, event.source, event.version, placed_at, 0, -1
                FROM past, (VALUES (1, 'OrderPlaced', 'PENDING', 'order-service', 1),
                                   (2, 'StockReserved', 'RESERVED', 'inventory-service', 1),
                                   (3, 'PaymentCaptured', 'PAID', 'payment-service', 1),
                                   (4, 'OrderConfirmed', 'CONFIRMED', 'order-service', 2))
                    AS event (position, type, status, source, version)
            )
            INSERT INTO last_version
            SELECT 'order-view-consumer-group', id, latest.source, latest.version
            FROM past, (VALUES ('order-service', 2), ('inventory-service', 1), ('payment-service', 1))
                AS latest (source, version)
            """;

    private PastOrders() {}

    /** Inserts so many, the oldest first. */
    static void insert(RunningPlatform system, int rows) throws InterruptedException {
        for (int left = rows; left > 0; left -= BATCH) {
            system.execute("orders", INSERT.formatted(Math.max(0, left - BATCH) + 1, left));
            // The write-ahead log of more rows would exceed what the server keeps for the relays.
            Await.until(MAX_LAG_TIME, "relays to catch up", () -> system.number("orders", """
                    SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)), 0)::bigint
                    FROM pg_replication_slots
                    """) < MAX_RELAY_LAG_BYTES);
        }
        system.execute("orders", "VACUUM ANALYZE");
        system.execute("orders", "CHECKPOINT");
    }
}
