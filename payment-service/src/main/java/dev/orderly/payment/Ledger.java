package dev.orderly.payment;

import static java.time.ZoneOffset.UTC;

import dev.orderly.database.DeferredWrites;
import dev.orderly.database.Rows;
import dev.orderly.events.Money;
import dev.orderly.http.IdempotencyKey;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Currency;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Double-entry ledger: append-only transfers between accounts, and the balance of each wallet, which is the
 * sum of its entries. A transfer and its change of a balance are always in one transaction.
 */
@ApplicationScoped
class Ledger {

    /** Of a customer's statement: the latest. */
    private static final int MAX_ENTRIES = 50;

    // Sorted, so that two transactions wait for each other instead of deadlocking.
    private static final String LOCK = """
            SELECT customer_id, currency, amount
            FROM balance
            WHERE (customer_id, currency) IN (SELECT :columns FROM :rows)
            ORDER BY customer_id, currency
            FOR UPDATE
            """;

    private static final String ADD_TRANSFERS =
            "INSERT INTO transfer (:columns) SELECT :columns FROM :rows ORDER BY ordinality";

    // By a difference, although the new balance is known: without the lock, should a caller forget it, no
    // update would be lost, and the table's check would still hold.
    private static final String CHANGE_BALANCES = """
            UPDATE balance
            SET amount = balance.amount + rows.change
            FROM :rows
            WHERE balance.customer_id = rows.customer_id AND balance.currency = rows.currency
            """;

    // The balance first: its lock orders the ids of transfers, and the balances recorded with them.
    private static final String DEPOSIT = """
            WITH credited AS (
                INSERT INTO balance (customer_id, currency, amount) VALUES (?, ?, ?)
                ON CONFLICT (customer_id, currency) DO UPDATE SET amount = balance.amount + excluded.amount
                RETURNING currency, amount
            )
            INSERT INTO transfer
                (kind, from_account, to_account, amount, currency, customer_balance, key_hash, occurred_at)
            SELECT 'DEPOSIT', 'bank', ?, ?, credited.currency, credited.amount, ?, ?
            FROM credited
            RETURNING id, amount, currency, customer_balance, occurred_at
            """;

    private static final String FIND_DEPOSIT = """
            SELECT id, amount, currency, customer_balance, occurred_at
            FROM transfer
            WHERE to_account = ? AND key_hash = ?
            """;

    private static final String STATEMENT = """
            SELECT transfer, kind, amount, currency, order_id, occurred_at
            FROM ledger_entry
            WHERE account = ?
            ORDER BY transfer DESC
            LIMIT ?
            """;

    private final DataSource database;
    private final DeferredWrites writes;

    Ledger(DataSource database, DeferredWrites writes) {
        this.database = database;
        this.writes = writes;
    }

    /** A customer's balances and latest entries, newest first. */
    record Account(UUID customerId, List<Money> balances, List<Entry> entries) {}

    /**
     * The customer's side of a transfer.
     *
     * @param kind DEPOSIT, CAPTURE or REFUND
     * @param amount in minor units; negative for a debit
     * @param orderId null for a deposit
     */
    record Entry(long transfer, String kind, long amount, Currency currency, UUID orderId, Instant occurredAt) {}

    /** A deposit, and the balance in its currency after it. */
    record Deposit(long transfer, Money amount, Money balance, Instant occurredAt) {}

    /** The balances of those of the wallets that exist, locked until the current transaction ends. */
    Map<Wallet, Money> lock(Set<Wallet> wallets) throws SQLException {
        try (var connection = database.getConnection();
                var select = wallets(wallets).prepare(connection, LOCK)) {
            var balances = new HashMap<Wallet, Money>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    var balance = money(rows, "amount");
                    balances.put(new Wallet(rows.getObject("customer_id", UUID.class), balance.currency()), balance);
                }
            }
            return balances;
        }
    }

    /** Adds transfers in this order; the current transaction must hold the locks of their wallets. */
    void add(List<Transfer> transfers) throws SQLException {
        Rows.of(transfers)
                .text("kind", Transfer::kind)
                .text("from_account", Transfer::from)
                .text("to_account", Transfer::to)
                .bigint("amount", transfer -> transfer.amount().amount())
                .text("currency", transfer -> transfer.amount().currency())
                .uuid("order_id", Transfer::orderId)
                .bigint(
                        "customer_balance",
                        transfer -> transfer.balance().map(Money::amount).orElse(null))
                .timestamptz("occurred_at", Transfer::occurredAt)
                .updateLater(writes, ADD_TRANSFERS);
        var changes = new HashMap<Wallet, Long>();
        for (var transfer : transfers) {
            transfer.wallet().ifPresent(wallet -> changes.merge(wallet, transfer.change(), Math::addExact));
        }
        changes.values().removeIf(change -> change == 0);
        wallets(changes.keySet()).bigint("change", changes::get).updateEachLater(writes, CHANGE_BALANCES);
    }

    private static Rows<Wallet> wallets(Set<Wallet> wallets) {
        return Rows.of(wallets).uuid("customer_id", Wallet::customerId).text("currency", Wallet::currency);
    }

    /**
     * The deposit that was made with this key. Other requests with the key wait here until the current
     * transaction ends.
     *
     * @param key the customer's idempotency key
     */
    Optional<Deposit> lockDeposit(UUID customerId, String key) throws SQLException {
        lock(customerId, key);
        return findDeposit(customerId, key);
    }

    /** Makes a deposit with a key that has none; the current transaction must hold its lock. */
    Deposit deposit(UUID customerId, Money amount, String key, Instant now) throws SQLException {
        try (var connection = database.getConnection();
                var insert = connection.prepareStatement(DEPOSIT)) {
            insert.setObject(1, customerId);
            insert.setString(2, code(amount));
            insert.setLong(3, amount.amount());
            insert.setString(4, Transfer.account(customerId));
            insert.setLong(5, amount.amount());
            insert.setBytes(6, IdempotencyKey.hash(key));
            insert.setObject(7, now.atOffset(UTC));
            try (var rows = insert.executeQuery()) {
                rows.next();
                return deposit(rows);
            }
        }
    }

    /** Serializes requests with the same key: each waits here until the one before it has committed. */
    private void lock(UUID customerId, String key) throws SQLException {
        try (var connection = database.getConnection();
                var lock = connection.prepareStatement("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))")) {
            lock.setString(1, Transfer.account(customerId) + '/' + key);
            lock.execute();
        }
    }

    private Optional<Deposit> findDeposit(UUID customerId, String key) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(FIND_DEPOSIT)) {
            select.setString(1, Transfer.account(customerId));
            select.setBytes(2, IdempotencyKey.hash(key));
            try (var rows = select.executeQuery()) {
                return rows.next() ? Optional.of(deposit(rows)) : Optional.empty();
            }
        }
    }

    /** The customer's account; empty before the first deposit. */
    Optional<Account> account(UUID customerId) throws SQLException {
        var balances = balances(customerId);
        return balances.isEmpty()
                ? Optional.empty()
                : Optional.of(new Account(customerId, balances, entries(customerId)));
    }

    private List<Money> balances(UUID customerId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(
                        "SELECT currency, amount FROM balance WHERE customer_id = ? ORDER BY currency")) {
            select.setObject(1, customerId);
            var balances = new ArrayList<Money>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    balances.add(money(rows, "amount"));
                }
            }
            return balances;
        }
    }

    private List<Entry> entries(UUID customerId) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(STATEMENT)) {
            select.setString(1, Transfer.account(customerId));
            select.setInt(2, MAX_ENTRIES);
            var entries = new ArrayList<Entry>();
            try (var rows = select.executeQuery()) {
                while (rows.next()) {
                    entries.add(new Entry(
                            rows.getLong("transfer"),
                            rows.getString("kind"),
                            rows.getLong("amount"),
                            Currency.getInstance(rows.getString("currency")),
                            rows.getObject("order_id", UUID.class),
                            instant(rows)));
                }
            }
            return entries;
        }
    }

    private static Deposit deposit(ResultSet row) throws SQLException {
        return new Deposit(row.getLong("id"), money(row, "amount"), money(row, "customer_balance"), instant(row));
    }

    private static Money money(ResultSet row, String amount) throws SQLException {
        return Money.of(row.getLong(amount), row.getString("currency"));
    }

    private static Instant instant(ResultSet row) throws SQLException {
        return row.getObject("occurred_at", OffsetDateTime.class).toInstant();
    }

    private static String code(Money money) {
        return money.currency().getCurrencyCode();
    }
}
