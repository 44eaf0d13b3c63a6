package dev.orderly.console.demo;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The promises that can be checked while everything runs, most of them by one query of one database. */
@ApplicationScoped
class Checks {

    /** However many pages ask. */
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    /** Longer than the deadline and what follows from it: 2 min, half of it once more, and a margin. */
    private static final String OVERDUE = "SELECT count(*) AS n FROM orders"
            + " WHERE status = 'PENDING' AND recorded_at < now() - interval '4 minutes'";

    private static final String NEGATIVE_STOCK = "SELECT count(*) AS products,"
            + " count(*) FILTER (WHERE available < 0 OR reserved < 0 OR sold < 0) AS n FROM stock";

    /** In one snapshot: of how many products the units differ, and whose they are, oldest first. */
    private static final String RESERVED = """
            WITH open AS (SELECT order_id, items FROM reservation WHERE status = 'RESERVED'),
                held AS (
                    SELECT item ->> 'sku' AS sku, sum((item ->> 'quantity')::bigint) AS quantity
                    FROM open, jsonb_array_elements(items) AS item GROUP BY 1)
            SELECT coalesce(sum(reserved), 0)::bigint AS reserved,
                count(*) FILTER (WHERE coalesce(reserved, 0) <> coalesce(quantity, 0)) AS differ,
                (SELECT count(*) FROM open) AS open,
                (SELECT coalesce(string_agg(order_id::text, ','), '')
                    FROM (SELECT order_id FROM open ORDER BY 1 LIMIT 1000) AS oldest) AS orders
            FROM stock FULL JOIN held USING (sku)
            """;

    /**
     * Of these orders. One that was decided in time has had a minute since to give back or to sell what it
     * had reserved; the decision itself is not dated.
     */
    private static final String DECIDED = """
            SELECT count(*) AS n
            FROM unnest(string_to_array(?, ',')::uuid[]) AS open (id) LEFT JOIN orders USING (id)
            WHERE orders.id IS NULL OR (status <> 'PENDING' AND recorded_at < now() - interval '5 minutes')
            """;

    private static final String MONEY =
            "SELECT count(*) AS accounts, count(*) FILTER (WHERE amount < 0) AS n FROM balance";

    /**
     * By steps, since a sum over all of them would take longer with each: a transfer leaves the balance that
     * the one before it left, and its own amount, and the newest one leaves the balance that there is.
     */
    private static final String LEDGER = """
            WITH newest AS (
                    SELECT id, to_account ^@ 'customer:' AS incoming, from_account, to_account, currency, amount,
                        customer_balance
                    FROM transfer WHERE customer_balance IS NOT NULL ORDER BY id DESC LIMIT 10000),
                step AS (
                    SELECT CASE WHEN incoming THEN to_account ELSE from_account END AS account, currency,
                        customer_balance, CASE WHEN incoming THEN amount ELSE -amount END AS change,
                        lag(customer_balance) OVER earlier AS before, lead(id) OVER earlier IS NULL AS is_last
                    FROM newest
                    WINDOW earlier AS (
                        PARTITION BY CASE WHEN incoming THEN to_account ELSE from_account END, currency ORDER BY id))
            SELECT count(*) AS transfers,
                count(*) FILTER (WHERE customer_balance <> before + change
                    OR is_last AND customer_balance IS DISTINCT FROM balance.amount) AS n
            FROM step LEFT JOIN balance
                ON account = 'customer:' || balance.customer_id AND balance.currency = step.currency
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
        checks.add(reservations());
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
                row -> none(row, "of the newest " + row.get("transfers") + " transfers do not add up")));
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

    private Check reservations() {
        var found = databases
                .query("inventory", RESERVED)
                .map(List::getFirst)
                .flatMap(held -> databases
                        .query("orders", DECIDED, held.get("orders"))
                        .map(rows -> {
                            var text = "%s units for %s orders; %s products differ, %s orders are decided or unknown";
                            var decided = number(rows.getFirst(), "n");
                            return new Finding(
                                    number(held, "differ") == 0 && decided == 0,
                                    text.formatted(
                                            held.get("reserved"), held.get("open"), held.get("differ"), decided));
                        }));
        return check("reservations", "What is reserved belongs to an order that is not decided yet", found);
    }

    private static Finding none(Map<String, Object> row, String of) {
        return new Finding(number(row, "n") == 0, row.get("n") + " " + of);
    }

    private static long number(Map<String, Object> row, String column) {
        return ((Number) row.get(column)).longValue();
    }

    private Check check(
            String id, String promise, String database, String sql, Function<Map<String, Object>, Finding> judge) {
        return check(id, promise, databases.query(database, sql).map(rows -> judge.apply(rows.getFirst())));
    }

    private Check check(String id, String promise, Optional<Finding> found) {
        return found.map(f -> new Check(id, promise, f.holds ? "ok" : "broken", f.detail, clock.millis()))
                .orElseGet(() -> new Check(id, promise, "unknown", "the database does not answer", clock.millis()));
    }
}
