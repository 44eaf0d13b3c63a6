package dev.orderly.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.debezium.config.Configuration;
import io.debezium.connector.base.ChangeEventQueue;
import io.debezium.connector.base.QueueProviderService;
import io.debezium.connector.postgresql.PostgresConnector;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.pipeline.DataChangeEvent;
import io.debezium.pipeline.ErrorHandler;
import io.debezium.service.spi.ServiceRegistry;
import io.debezium.util.LoggingContext;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.source.SourceRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On Debezium's own queue and error handler; only the connection to a database is left out. */
@Timeout(30)
class OutboxTaskTest {
    /** So long that a test which waits for it fails by its time limit. */
    private static final Duration POLL_INTERVAL = Duration.ofHours(1);

    private static final int EVENTS = 6;
    private static final Schema ROW =
            SchemaBuilder.struct().field("seq", Schema.INT32_SCHEMA).build();

    private final TaskWithoutDatabase task = new TaskWithoutDatabase(100, 0);

    private static final class TaskWithoutDatabase extends OutboxTask {
        private final ChangeEventQueue<DataChangeEvent> queue;
        private final ErrorHandler errorHandler;

        TaskWithoutDatabase(int maxQueueSize, long maxQueueSizeInBytes) {
            maxBatchSize = 3;
            var services = services();
            registerServiceProviders(services);
            queue = new ChangeEventQueue.Builder<DataChangeEvent>()
                    .pollInterval(POLL_INTERVAL)
                    .maxBatchSize(1)
                    .maxQueueSize(maxQueueSize)
                    .maxQueueSizeInBytes(maxQueueSizeInBytes)
                    .loggingContextSupplier(() -> LoggingContext.forConnector("postgres", "test", "task"))
                    .queueProvider(
                            services.getService(QueueProviderService.class).getQueueProvider())
                    .build();
            errorHandler = new ErrorHandler(PostgresConnector.class, null, queue, null);
        }

        private static ServiceRegistry services() {
            return new PostgresConnectorConfig(Configuration.from(Map.of("topic.prefix", "test"))).getServiceRegistry();
        }

        @Override
        List<SourceRecord> pollQueue() throws InterruptedException {
            return pollRecords(queue);
        }

        @Override
        protected Optional<ErrorHandler> getErrorHandler() {
            return Optional.of(errorHandler);
        }
    }

    @Test
    void a_poll_that_waits_gets_an_event_when_it_comes() throws Exception {
        var events = new SignallingQueue<Integer>();
        var arrived = new FutureTask<>(() -> events.awaitEvent(Duration.ofHours(1)));
        awaitWaiting(start(arrived));

        events.enqueue(1);

        assertThat(arrived.get()).isTrue();
        assertThat(events.poll()).isEqualTo(1);
    }

    @Test
    void a_batch_is_what_there_is_in_order_up_to_its_maximum() throws Exception {
        read(task, 1, 4);

        assertThat(poll(task)).isEqualTo(List.of(1, 2, 3));
        assertThat(poll(task)).isEqualTo(List.of(4));
        assertThat(poll(task)).isEqualTo(List.of());
    }

    @ParameterizedTest
    @CsvSource({"4, 0", "100, 1"})
    void a_reader_waits_while_the_queue_is_full_by_events_or_bytes(int maxEvents, long maxBytes) throws Exception {
        var full = new TaskWithoutDatabase(maxEvents, maxBytes);
        var reader = new FutureTask<Void>(() -> read(full, 1, EVENTS), null);
        awaitWaiting(start(reader));

        var polled = new ArrayList<Integer>();
        while (polled.size() < EVENTS) {
            polled.addAll(poll(full));
        }

        reader.get();
        assertThat(polled).isEqualTo(List.of(1, 2, 3, 4, 5, 6));
    }

    @Test
    void a_reader_that_fails_ends_the_poll_that_waits_for_it() throws Exception {
        var polled = new FutureTask<>(() -> {
            List<Integer> none;
            do {
                none = poll(task);
            } while (none.isEmpty());
            return none;
        });
        awaitWaiting(start(polled));

        task.errorHandler.setProducerThrowable(new IOException("the connection is gone"));

        assertThatThrownBy(polled::get).hasCauseInstanceOf(RetriableException.class);
    }

    @Test
    void what_was_read_before_an_error_is_not_there_after_it_but_read_again() throws Exception {
        read(task, 1, 2);

        task.registerServiceProviders(TaskWithoutDatabase.services());

        assertThat(poll(task)).isEqualTo(List.of());
    }

    @Test
    void a_poll_without_events_returns_so_that_the_task_can_be_stopped() throws Exception {
        assertThat(poll(task)).isEqualTo(List.of());
    }

    @Test
    void a_poll_that_waits_takes_no_processor_time() throws Exception {
        var measured = new FutureTask<>(() -> {
            var cpu = ManagementFactory.getThreadMXBean();
            poll(task); // loads classes
            long before = cpu.getCurrentThreadCpuTime();
            for (int i = 0; i < 10; i++) {
                poll(task);
            }
            return Duration.ofNanos(cpu.getCurrentThreadCpuTime() - before);
        });

        start(measured);

        assertThat(measured.get()).isLessThan(Duration.ofMillis(50));
    }

    /** As the reader's thread does. */
    private static void read(TaskWithoutDatabase task, int first, int last) {
        for (int i = first; i <= last; i++) {
            var row = new Struct(ROW).put("seq", i);
            var event = new SourceRecord(Map.of(), Map.of(), "outbox", ROW, row);
            try {
                task.queue.enqueue(new DataChangeEvent(event));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static List<Integer> poll(TaskWithoutDatabase task) throws InterruptedException {
        return task.doPoll().stream()
                .map(event -> ((Struct) event.value()).getInt32("seq"))
                .toList();
    }

    private static Thread start(FutureTask<?> work) {
        var thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static void awaitWaiting(Thread thread) {
        await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
    }
}
