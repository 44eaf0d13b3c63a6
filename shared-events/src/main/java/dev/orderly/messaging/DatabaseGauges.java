package dev.orderly.messaging;

import dev.orderly.database.DatabaseMigration;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import io.quarkus.arc.All;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * What waits in the database, as gauges: parked events, the outbox's slot and audit, and what the service
 * adds by a {@link GaugeQuery}. One query every {@value #SECONDS} s for all of them, however many scrape;
 * all its parts read what is in progress by small indexes, never the history.
 *
 * <p>A number that is too old is none: a gauge whose database is away becomes NaN within {@value
 * #STALE_SECONDS} s, where the last value, or 0, would look like a quiet day. {@code
 * orderly_database_gauges_age_seconds} says how old they are.
 */
@ApplicationScoped
class DatabaseGauges {

    private static final Logger LOG = Logger.getLogger(DatabaseGauges.class);

    private static final int SECONDS = 5;

    private static final int STALE_SECONDS = 30;

    private static final long STALE_NANOS = TimeUnit.SECONDS.toNanos(STALE_SECONDS);

    private static final String OWN = """
            SELECT metric, ARRAY['group', "group", 'reason', lower(reason)], number
            FROM (SELECT "group", reasons.reason, count(event_id)::float8 AS events,
                         coalesce(extract(epoch FROM now() - min(parked_at)), 0)::float8 AS age
                  FROM unnest(?::text[]) AS "group"
                  CROSS JOIN unnest(?::text[]) AS reasons (reason)
                  LEFT JOIN parked_event ON consumer = "group" AND parked_event.reason = reasons.reason
                  GROUP BY 1, 2)
            CROSS JOIN LATERAL (VALUES ('orderly.parked.events', events),
                                       ('orderly.parked.oldest.age.seconds', age)) AS gauge (metric, number)
            UNION ALL
            SELECT 'orderly.outbox.audit.age.seconds', '{}', extract(epoch FROM now() - audited_until)::float8
            FROM outbox_audit
            UNION ALL
            SELECT metric, '{}', number
            FROM pg_replication_slots
            CROSS JOIN LATERAL (VALUES
                ('orderly.outbox.slot.lag.bytes',
                 pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8),
                ('orderly.outbox.slot.safe.bytes', safe_wal_size::float8)) AS gauge (metric, number)
            WHERE slot_name = 'outbox_' || current_database() AND number IS NOT NULL
            UNION ALL
            SELECT 'orderly.outbox.slot.active', '{}',
                   (SELECT count(*) FROM pg_replication_slots
                    WHERE slot_name = 'outbox_' || current_database() AND active)::float8
            UNION ALL
            SELECT 'orderly.outbox.slot.state', ARRAY['wal_status', state],
                   (state = coalesce((SELECT wal_status FROM pg_replication_slots
                                      WHERE slot_name = 'outbox_' || current_database()), 'missing'))::int
            FROM unnest(ARRAY['reserved', 'extended', 'unreserved', 'lost', 'missing']) AS state
            """;

    private final DataSource database;
    private final MeterRegistry metrics;
    private final String sql;
    private final String[] groups;
    private final String[] reasons;
    private final Set<Gauge> registered = new HashSet<>();
    private volatile Map<Gauge, Double> latest = Map.of();
    private volatile long sampledAt;

    record Gauge(String metric, Tags tags) {}

    DatabaseGauges(
            DataSource database,
            @All List<EventHandler<?>> handlers,
            @All List<GaugeQuery> ofService,
            MeterRegistry metrics) {
        this.database = database;
        this.metrics = metrics;
        this.sampledAt = nanos();
        this.sql = Stream.concat(Stream.of(OWN), ofService.stream().map(GaugeQuery::sql))
                .collect(Collectors.joining("\nUNION ALL\n"));
        this.groups = handlers.stream().map(EventHandler::consumerGroup).toArray(String[]::new);
        this.reasons = Stream.of(ParkedEvents.Reason.values()).map(Enum::name).toArray(String[]::new);
        TimeGauge.builder("orderly.database.gauges.age", this, TimeUnit.NANOSECONDS, DatabaseGauges::age)
                .description("How old the gauges are that are read from the database")
                .register(metrics);
    }

    private long nanos() {
        return metrics.config().clock().monotonicTime();
    }

    private double age() {
        return nanos() - sampledAt;
    }

    @Scheduled(
            every = SECONDS + "s",
            concurrentExecution = ConcurrentExecution.SKIP,
            skipExecutionIf = DatabaseMigration.class)
    void sample() {
        try {
            latest = read();
            sampledAt = nanos();
            latest.keySet().stream().filter(registered::add).forEach(this::register);
        } catch (SQLException e) {
            LOG.warnf("the gauges of the database are %d s old: %s", (long) age() / 1_000_000_000, e.getMessage());
        }
    }

    Map<Gauge, Double> read() throws SQLException {
        try (var connection = database.getConnection();
                var select = connection.prepareStatement(sql)) {
            select.setObject(1, groups);
            select.setObject(2, reasons);
            try (var rows = select.executeQuery()) {
                var numbers = new HashMap<Gauge, Double>();
                while (rows.next()) {
                    var tags = Tags.of((String[]) rows.getArray(2).getArray());
                    numbers.put(new Gauge(rows.getString(1), tags), rows.getDouble(3));
                }
                return numbers;
            }
        }
    }

    private void register(Gauge gauge) {
        metrics.gauge(gauge.metric, gauge.tags, this, gauges -> gauges.number(gauge));
    }

    private double number(Gauge gauge) {
        return age() > STALE_NANOS ? Double.NaN : latest.getOrDefault(gauge, Double.NaN);
    }
}
