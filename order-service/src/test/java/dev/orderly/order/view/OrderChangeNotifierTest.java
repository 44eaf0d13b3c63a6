package dev.orderly.order.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * During an outage of the database; with a database that answers it is tested by
 * {@link OrderViewResourceTest}.
 */
class OrderChangeNotifierTest {

    private static final Duration TIMEOUT = Duration.ofMillis(200);
    private static final Duration MAX_WAIT = Duration.ofSeconds(3);

    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger queries = new AtomicInteger();
    private OrderChangeNotifier notifier;

    @AfterEach
    void stop() {
        end.countDown();
        notifier.stop(null);
    }

    @Test
    void requests_wait_no_longer_than_their_timeout_while_the_database_is_away() {
        startWith((_, _, _) -> refuse());

        notifier.until(UUID.randomUUID(), _ -> false, TIMEOUT).await().atMost(MAX_WAIT);
        assertThat(notifier.entriesAfter(UUID.randomUUID(), 0, TIMEOUT)
                        .collect()
                        .asList()
                        .await()
                        .atMost(MAX_WAIT))
                .allMatch(Optional::isEmpty);
    }

    @Test
    void requests_wait_no_longer_than_their_timeout_while_the_database_hangs() {
        startWith((_, _, _) -> {
            queries.incrementAndGet();
            end.await();
            return refuse();
        });

        notifier.until(UUID.randomUUID(), _ -> false, TIMEOUT).await().atMost(MAX_WAIT);

        assertThat(queries).as("queries that hang").hasValue(1);
    }

    @Test
    void one_too_many_ends_the_longest_wait_and_has_its_own() {
        startWith((_, _, _) -> refuse());
        var ended = new CopyOnWriteArrayList<Integer>();
        for (var i = 0; i <= OrderChangeNotifier.MAX_WAITING; i++) {
            var number = i;
            notifier.until(UUID.randomUUID(), _ -> false, Duration.ofMinutes(1))
                    .subscribe()
                    .with(_ -> ended.add(number));
        }

        assertThat(ended).containsExactly(0);
    }

    @Test
    void an_outage_is_logged_once() {
        var logged = new CopyOnWriteArrayList<LogRecord>();
        var log = Logger.getLogger(OrderChangeNotifier.class.getName());
        var recorder = new Handler() {
            @Override
            public void publish(LogRecord line) {
                logged.add(line);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        log.addHandler(recorder);
        try {
            startWith((_, _, _) -> refuse());

            notifier.until(UUID.randomUUID(), _ -> false, Duration.ofMinutes(1))
                    .subscribe()
                    .with(_ -> {});
            await().until(() -> queries.get() >= 3);

            assertThat(logged).hasSize(1);
        } finally {
            log.removeHandler(recorder);
        }
    }

    private Object refuse() throws SQLException {
        queries.incrementAndGet();
        throw new SQLException("the database is away", "08001");
    }

    private void startWith(InvocationHandler database) {
        var views = new OrderViews((DataSource)
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {DataSource.class}, database));
        notifier = new OrderChangeNotifier(views, new SimpleMeterRegistry());
        notifier.start(null);
    }
}
