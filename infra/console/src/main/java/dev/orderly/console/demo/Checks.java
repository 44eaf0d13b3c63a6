package dev.orderly.console.demo;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The promises that can be checked while everything runs, each by one query of one database. */
@ApplicationScoped
class Checks {

    /** However many pages ask. */
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    /** Longer than the deadline and what follows from it: 2 min, half of it once more, and a margin. */
    private static final String OVERDUE = "SELECT count(*) AS n FROM orders"
            + " WHERE status = 'PENDING' AND recorded_at < now() - interval '4 minutes'";

    private static final String NEGATIVE_STOCK = "SELECT count(*) AS products,"
            + " count(*) FILTER (WHERE available < 0 OR reserved < 0 OR sold < 0) AS n FROM stock";

    private static final String STALE_RESERVATIONS =
            "SELECT (SELECT coalesce(sum(reserved), 0) FROM stock)::bigint AS reserved,"
                    + " (SELECT count(*) FROM reservation WHERE status = 'RESERVED') AS open";

    private static final String MONEY =
            "SELECT count(*) AS accounts, count(*) FILTER (WHERE amount < 0) AS n FROM balance";

    /** Per customer and currency what came in less what went out is the balance. */
    private static final String LEDGER = """
            SELECT count(*) AS n FROM (
                SELECT customer_id, currency, amount FROM balance ORDER BY customer_id LIMIT 200) AS b
            WHERE amount <> (
                SELECT coalesce(sum(
                    CASE WHEN to_account = 'customer:' || b.customer_id THEN t.amount ELSE -t.amount END), 0)
                FROM transfer AS t
                WHERE t.currency = b.currency AND 'customer:' || b.customer_id IN (t.from_account, t.to_account))
            """;

    private static final String AUDITED =
            "SELECT extract(epoch FROM now() - audited_until)::bigint AS n FROM outbox_audit";

    private static final String PARKED = "SELECT count(*) AS n FROM parked_event";

    private static final long AUDIT_LATE_SECONDS = 180;

    private final DemoDatabases databases;
    private final Clock clock;
    private List<Check> latest = List.of();

    /** @param state ok, broken, or unknown while a database does not answer */
    record Check(String id, String promise, String state, String detail, long lookedAt) {}

    private record Finding(boolean holds, String detail) {}

    Checks(DemoDatabases databases, Clock clock) {
        this.databases = databases;
        this.clock = clock;
    }

    /** At most 5 s old. */
    synchronized List<Check> look() {
        if (!databases.exist()) {
            throw DemoPlatform.noDemo();
        }
        if (latest.isEmpty() || clock.millis() - latest.getFirst().lookedAt > INTERVAL.toMillis()) {
            latest = check();
        }
        return latest;
    }

    private List<Check> check() {
        var checks = new ArrayList<Check>();
        checks.add(check(
                "decided",
                "Every order is decided, or younger than its deadline",
                "orders",
                OVERDUE,
                row -> none(row, "orders overdue")));
        checks.add(check(
                "stock",
                "No stock is ever below zero",
                "inventory",
                NEGATIVE_STOCK,
                row -> new Finding(number(row, "n") == 0, row.get("products") + " products")));
        checks.add(check(
                "reservations",
                "What is reserved belongs to an order that is not decided yet",
                "inventory",
                STALE_RESERVATIONS,
                row -> new Finding(
                        (number(row, "reserved") == 0) == (number(row, "open") == 0),
                        row.get("reserved") + " units for " + row.get("open") + " orders")));
        checks.add(check(
                "balances",
                "No account is overdrawn",
                "payments",
                MONEY,
                row -> new Finding(number(row, "n") == 0, row.get("accounts") + " accounts")));
        checks.add(check(
                "money",
                "Every balance is what its transfers add up to",
                "payments",
                LEDGER,
                row -> none(row, "accounts that differ, of 200")));
        for (var database : DemoDatabases.ALL) {
            checks.add(check(
                    "published-" + database,
                    "What the outbox of " + database + " holds has arrived on its topic",
                    database,
                    AUDITED,
                    row -> new Finding(
                            number(row, "n") < AUDIT_LATE_SECONDS, "audited up to " + row.get("n") + " s ago")));
            checks.add(check(
                    "parked-" + database,
                    "Nothing of " + database + " is parked",
                    database,
                    PARKED,
                    row -> none(row, "parked")));
        }
        return checks;
    }

    private static Finding none(Map<String, Object> row, String of) {
        return new Finding(number(row, "n") == 0, row.get("n") + " " + of);
    }

    private static long number(Map<String, Object> row, String column) {
        return ((Number) row.get(column)).longValue();
    }

    private Check check(
            String id, String promise, String database, String sql, Function<Map<String, Object>, Finding> judge) {
        return databases
                .query(database, sql)
                .map(rows -> judge.apply(rows.getFirst()))
                .map(found -> new Check(id, promise, found.holds ? "ok" : "broken", found.detail, clock.millis()))
                .orElseGet(() -> new Check(id, promise, "unknown", "the database does not answer", clock.millis()));
    }
}
