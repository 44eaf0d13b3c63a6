package dev.orderly.messaging;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DatabaseGaugesTest {

    private Duration now = Duration.ofDays(1);
    private boolean away;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry(SimpleConfig.DEFAULT, new Clock() {
        @Override
        public long wallTime() {
            return now.toMillis();
        }

        @Override
        public long monotonicTime() {
            return now.toNanos();
        }
    });

    private final DatabaseGauges gauges = new DatabaseGauges(null, List.of(), List.of(), metrics) {
        @Override
        Map<Gauge, Double> read() throws SQLException {
            if (away) {
                throw new SQLException("the database is away", "08001");
            }
            return Map.of(new Gauge("orderly.orders.undecided", Tags.of("method", "card")), 7.0);
        }
    };

    private double undecided() {
        return metrics.get("orderly.orders.undecided").gauge().value();
    }

    private double age() {
        return metrics.get("orderly.database.gauges.age").timeGauge().value(TimeUnit.SECONDS);
    }

    @Test
    void a_gauge_whose_database_is_away_is_no_number_and_one_when_it_is_back() {
        gauges.sample();
        assertThat(undecided()).isEqualTo(7);

        away = true;
        now = now.plusSeconds(31);
        gauges.sample();
        assertThat(undecided()).isNaN();
        assertThat(age()).isEqualTo(31);

        away = false;
        gauges.sample();
        assertThat(undecided()).isEqualTo(7);
        assertThat(age()).isZero();
    }
}
