package dev.orderly.order.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
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

/** With a database that is away: what it does with one that answers is in {@link OrderViewResourceTest}. */
class OrderChangeNotifierTest {

    private static final Duration SOON = Duration.ofMillis(200);
    private static final Duration IN_TIME = Duration.ofSeconds(3);

    private final CountDownLatch end = new CountDownLatch(1);
    private final AtomicInteger tries = new AtomicInteger();
    private OrderChangeNotifier watch;

    @AfterEach
    void stop() {
        end.countDown();
        watch.stop(null);
    }

    @Test
    void those_who_wait_wait_no_longer_than_they_asked_to_while_the_database_is_away() {
        watchOn((_, _, _) -> refuse());

        watch.until(UUID.randomUUID(), _ -> false, SOON).await().atMost(IN_TIME);
        assertThat(watch.entriesAfter(UUID.randomUUID(), 0, SOON)
                        .collect()
                        .asList()
                        .await()
                        .atMost(IN_TIME))
                .isEmpty();
    }

    @Test
    void nor_while_it_does_not_answer() {
        watchOn((_, _, _) -> {
            tries.incrementAndGet();
            end.await();
            return refuse();
        });

        watch.until(UUID.randomUUID(), _ -> false, SOON).await().atMost(IN_TIME);

        assertThat(tries).as("questions that hang").hasValue(1);
    }

    @Test
    void an_outage_is_said_once() {
        var said = new CopyOnWriteArrayList<LogRecord>();
        var log = Logger.getLogger(OrderChangeNotifier.class.getName());
        var ear = new Handler() {
            @Override
            public void publish(LogRecord line) {
                said.add(line);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        log.addHandler(ear);
        try {
            watchOn((_, _, _) -> refuse());

            watch.until(UUID.randomUUID(), _ -> false, Duration.ofMinutes(1))
                    .subscribe()
                    .with(_ -> {});
            await().until(() -> tries.get() >= 3);

            assertThat(said).hasSize(1);
        } finally {
            log.removeHandler(ear);
        }
    }

    private Object refuse() throws SQLException {
        tries.incrementAndGet();
        throw new SQLException("the database is away", "08001");
    }

    private void watchOn(InvocationHandler database) {
        watch = new OrderChangeNotifier(new OrderViews((DataSource)
                Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {DataSource.class}, database)));
        watch.start(null);
    }
}
