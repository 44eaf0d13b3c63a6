package dev.orderly.database;

import static java.util.stream.Collectors.joining;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.transaction.Synchronization;
import jakarta.transaction.TransactionSynchronizationRegistry;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/**
 * Writes of the current transaction that nothing else in it reads. They are sent when its work is done, in
 * their order and together: PostgreSQL's protocol lets statements follow each other without waiting for the
 * results of those before (<a
 * href="https://www.postgresql.org/docs/18/libpq-pipeline-mode.html">pipeline mode</a>), and the driver does
 * so for statements that are separated by semicolons. A batch of one event costs mostly round trips, since
 * each switches threads on both sides.
 *
 * <p>What starts a transaction must {@link #flush} them: {@link Atomic} and {@link RetryingTransactions} do.
 * A transaction that was not flushed is not committed.
 */
@ApplicationScoped
public class DeferredWrites {

    /** @param changesEveryRow whether it fails unless it changes as many rows as it is given */
    private record Write(Rows<?> rows, String sql, boolean changesEveryRow) {}

    private final DataSource database;
    private final TransactionSynchronizationRegistry transaction;

    DeferredWrites(DataSource database, TransactionSynchronizationRegistry transaction) {
        this.database = database;
        this.transaction = transaction;
    }

    void add(Rows<?> rows, String sql, boolean changesEveryRow) {
        pending().add(new Write(rows, sql, changesEveryRow));
    }

    @SuppressWarnings("unchecked") // only this class stores something under this key
    private List<Write> pending() {
        var pending = (List<Write>) transaction.getResource(this);
        if (pending == null) {
            var first = new ArrayList<Write>();
            transaction.putResource(this, first);
            transaction.registerInterposedSynchronization(new Synchronization() {
                @Override
                public void beforeCompletion() {
                    if (!first.isEmpty()) {
                        throw new IllegalStateException("writes of this transaction were never sent");
                    }
                }

                @Override
                public void afterCompletion(int status) {}
            });
            return first;
        }
        return pending;
    }

    /**
     * Sends what was deferred in the current transaction.
     *
     * @throws SQLException of the first statement that fails
     * @throws IllegalStateException when one did not find every row that it was to change
     */
    public void flush() throws SQLException {
        var writes = pending();
        if (writes.isEmpty()) {
            return;
        }
        try (var connection = database.getConnection();
                var statement = connection.prepareStatement(
                        writes.stream().map(Write::sql).collect(joining(";\n")))) {
            var parameters = 0;
            for (var write : writes) {
                parameters = write.rows.bind(statement, parameters);
            }
            statement.execute();
            for (var write : writes) {
                var changed = statement.getUpdateCount();
                if (write.changesEveryRow && changed != write.rows.size()) {
                    throw new IllegalStateException(
                            "of %d rows only %d exist for %s".formatted(write.rows.size(), changed, write.sql));
                }
                statement.getMoreResults();
            }
        }
        writes.clear();
    }
}
