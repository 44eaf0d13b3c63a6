package dev.orderly.database;

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
    private volatile double daysAhead = Double.NaN;

    RetentionJob(DataSource database, MeterRegistry metrics) {
        this.database = database;
        metrics.gauge("orderly.partitions.ahead.days", this, job -> job.daysAhead);
    }

    /** What fails is logged, and tried again in an hour. */
    @Scheduled(
            every = "1h",
            delayed = "5m",
            concurrentExecution = ConcurrentExecution.SKIP,
            skipExecutionIf = DatabaseMigration.class)
    void run() {
        attempt(() -> strings("SELECT advance_retention_day()"));
        attempt(() -> {
            for (var parent : strings("SELECT parent FROM retention ORDER BY parent")) {
                attempt(() -> strings("SELECT maintain_partitions(?)", parent));
            }
        });
        attempt(this::applyRowRetention);
        attempt(() -> daysAhead = number(DAYS_AHEAD));
    }

    void applyRowRetention() throws SQLException {
        while (number("SELECT apply_row_retention(?)", MAX_ROWS) == MAX_ROWS) {
            // until fewer are left
        }
    }

    private interface Step {
        void run() throws SQLException;
    }

    private static void attempt(Step step) {
        try {
            step.run();
        } catch (SQLException e) {
            LOG.warnf("retention is tried again in an hour: %s", e.getMessage());
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
