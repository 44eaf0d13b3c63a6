package dev.orderly.database;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Bounds the tables. Creates the partitions of the coming days for outbox, inbox and all other tables in
 * {@code retention}, and drops those past their retention: that costs next to nothing, where deletes would
 * cost as much as the inserts did. Of the tables in {@code row_retention} it deletes rows. Both count days as
 * {@code retention_day} does, which a clock that jumps for some hours does not move.
 */
@ApplicationScoped
class RetentionJob {

    private static final Logger LOG = Logger.getLogger(RetentionJob.class);

    /** Of one table in one transaction. */
    private static final int MAX_ROWS = 5_000;

    private static final String DAYS_AHEAD = """
            SELECT min(ahead)
            FROM (SELECT max(to_date(right(relname, 8), 'YYYYMMDD')) - current_date AS ahead
                  FROM retention
                  LEFT JOIN (pg_inherits JOIN pg_class ON oid = inhrelid AND relname ~ '_\\d{8}$')
                      ON inhparent = parent::regclass
                  GROUP BY parent)
            """;

    private final DataSource database;
    private final Counter failures;
    private volatile double daysAhead = Double.NaN;

    RetentionJob(DataSource database, MeterRegistry metrics) {
        this.database = database;
        failures = metrics.counter("orderly.retention.failures");
        metrics.gauge("orderly.partitions.ahead.days", this, job -> job.daysAhead);
    }

    /** What fails is logged, and tried again in an hour. */
    @Scheduled(
            every = "1h",
            delayed = "5m",
            concurrentExecution = ConcurrentExecution.SKIP,
            skipExecutionIf = DatabaseMigration.class)
    void run() {
        attempt("the day", () -> strings("SELECT advance_retention_day()"));
        attempt("partitions", () -> {
            for (var parent : strings("SELECT parent FROM retention ORDER BY parent")) {
                attempt(parent, () -> strings("SELECT maintain_partitions(?)", parent));
            }
        });
        attempt("rows", this::applyRowRetention);
        attempt("days ahead", () -> daysAhead = number(DAYS_AHEAD));
    }

    /** A rule that fails, as by the time that its statement may take, does not stop the others. */
    void applyRowRetention() throws SQLException {
        for (var relation : strings("SELECT DISTINCT relation FROM row_retention ORDER BY relation")) {
            for (var change :
                    strings("SELECT change FROM row_retention WHERE relation = ? ORDER BY change", relation)) {
                attempt(relation, () -> {
                    while (number("SELECT apply_row_retention(?, ?, ?)", relation, change, MAX_ROWS) == MAX_ROWS) {
                        // until fewer are left
                    }
                });
            }
        }
    }

    private interface Step {
        void run() throws SQLException;
    }

    private void attempt(String what, Step step) {
        try {
            step.run();
        } catch (SQLException e) {
            failures.increment();
            LOG.warnf("retention (%s) is tried again in an hour: %s", what, e.getMessage());
        }
    }

    private long number(String sql, Object... parameters) throws SQLException {
        return Long.parseLong(strings(sql, parameters).getFirst());
    }

    private List<String> strings(String sql, Object... parameters) throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(sql)) {
            for (var i = 0; i < parameters.length; i++) {
                select.setObject(i + 1, parameters[i]);
            }
            try (var rows = select.executeQuery()) {
                var strings = new ArrayList<String>();
                while (rows.next()) {
                    strings.add(rows.getString(1));
                }
                return strings;
            }
        }
    }
}
