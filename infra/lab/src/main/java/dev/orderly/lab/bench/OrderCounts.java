package dev.orderly.lab.bench;

import dev.orderly.testkit.Await;
import dev.orderly.testkit.RunningPlatform;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Orders as the databases have them: confirmed, in flight, and whether each was processed exactly once. */
record OrderCounts(RunningPlatform system) {
    /** So many of the latest orders may be missing in the view, which follows the orders table. */
    private static final int LATEST = 4_000;

    private static final Duration MAX_WAIT = Duration.ofMinutes(5);

    long confirmed() {
        return system.number("orders", "SELECT count(*) FROM order_view WHERE status = 'CONFIRMED'");
    }

    long pending() {
        return system.number("orders", "SELECT count(*) FROM orders WHERE status = 'PENDING'");
    }

    /** Of the values that an order publishes on the topic, in the format that the services write. */
    double eventBytes() {
        long bytes = 0;
        for (var database : List.of("orders", "inventory", "payments")) {
            bytes += system.number(database, """
                    SELECT coalesce(sum(octet_length(payload)), 0) + coalesce(sum(octet_length(payload_bytes)), 0)
                    FROM outbox WHERE topic = 'order-service'
                    """);
        }
        return bytes / (double) Math.max(1, system.number("orders", "SELECT count(*) FROM orders"));
    }

    /** Until every order has ended, in the orders table and in the view. */
    void awaitEnd() throws InterruptedException {
        Await.until(
                MAX_WAIT,
                "the end of every order",
                () -> pending() == 0 && system.number("orders", """
                SELECT (SELECT count(*) FROM order_view WHERE status IN ('PENDING', 'RESERVED', 'PAID'))
                     + (SELECT count(*)
                        FROM (SELECT id FROM orders ORDER BY id DESC LIMIT %d) AS latest
                            LEFT JOIN order_view ON order_id = id
                        WHERE order_id IS NULL)
                """.formatted(LATEST)) == 0);
    }

    /** And every message is sent: work left over would be counted to the next phase. */
    void awaitQuiescence() throws InterruptedException {
        awaitEnd();
        Await.until(
                MAX_WAIT,
                "every message to be sent",
                () -> system.number("notifications", "SELECT count(*) FROM notification WHERE state = 'PENDING'") == 0);
    }

    /** Orders that are not confirmed, paid and sold exactly once, and parked events. */
    long violations(int pastOrders) {
        long orders = system.number("orders", "SELECT count(*) FROM orders") - pastOrders;
        long violations = system.number("orders", """
                        SELECT count(*) FROM orders FULL JOIN order_view ON order_id = id
                        WHERE orders.status IS DISTINCT FROM order_view.status OR orders.version <> order_view.version
                        """)
                + system.number("orders", "SELECT count(*) FROM orders WHERE status <> 'CONFIRMED'")
                + system.number("payments", """
                        SELECT count(*)
                        FROM (SELECT order_id FROM transfer WHERE kind = 'CAPTURE' GROUP BY 1 HAVING count(*) <> 1)
                        """)
                + Math.abs(orders - system.number("payments", "SELECT count(*) FROM transfer WHERE kind = 'CAPTURE'"))
                + Math.abs(orders - system.number("inventory", "SELECT coalesce(sum(sold), 0) FROM stock"));
        for (var database : RunningPlatform.DATABASES) {
            violations += system.number(database, "SELECT count(*) FROM parked_event");
        }
        return violations;
    }

    /** The number of orders that have not ended, sampled in a thread of its own. */
    static final class InFlight implements AutoCloseable {
        private static final Duration SAMPLE_INTERVAL = Duration.ofMillis(100);

        private final Connection connection;
        private volatile long last;
        private volatile boolean closed;

        InFlight(RunningPlatform system) throws SQLException {
            connection = system.connect("orders");
            Thread.ofPlatform().daemon().name("in-flight").start(this::sample);
        }

        private void sample() {
            try (var select = connection.prepareStatement(
                    "SELECT count(*) FROM order_view WHERE status IN ('PENDING', 'RESERVED', 'PAID')")) {
                while (!closed) {
                    try (var row = select.executeQuery()) {
                        row.next();
                        last = row.getLong(1);
                    }
                    TimeUnit.MILLISECONDS.sleep(SAMPLE_INTERVAL.toMillis());
                }
            } catch (SQLException e) {
                if (!closed) {
                    throw new IllegalStateException("the orders in flight cannot be counted", e);
                }
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }

        long orders() {
            return last;
        }

        @Override
        public void close() throws SQLException {
            closed = true;
            connection.close(); // ends the thread, if it is in the middle of a query
        }
    }
}
