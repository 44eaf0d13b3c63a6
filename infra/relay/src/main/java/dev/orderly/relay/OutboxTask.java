package dev.orderly.relay;

import io.debezium.config.CommonConnectorConfig;
import io.debezium.config.Configuration;
import io.debezium.connector.base.QueueProviderService;
import io.debezium.connector.postgresql.PostgresConnectorTask;
import io.debezium.connector.postgresql.PostgresOffsetContext;
import io.debezium.connector.postgresql.PostgresPartition;
import io.debezium.pipeline.ChangeEventSourceCoordinator;
import io.debezium.pipeline.DataChangeEvent;
import io.debezium.service.spi.ServiceProvider;
import io.debezium.service.spi.ServiceRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * Debezium's task, except for how it waits for its reader. {@link
 * io.debezium.connector.base.ChangeEventQueue} lets {@code poll()} return when there is a full batch or
 * {@code poll.interval.ms} is over: a single event waits for the rest of the interval, behind a reader
 * that has slept for as long when there was nothing to read. And in the interval's last millisecond, when
 * what is left rounds to 0 ms, it does not sleep but spins. So a long interval costs latency, twice, and a
 * short one costs a core.
 *
 * <p>Here a batch is what there is. The queue remains Debezium's, set to batches of one, with which its
 * {@code poll()} returns at once when there is an event; this waits until there is, and calls it until the
 * queue is empty or {@code max.batch.size} is reached. Order, limits, offsets, errors and restarts are
 * Debezium's. {@code poll.interval.ms} is then the reader's alone.
 */
public class OutboxTask extends PostgresConnectorTask {
    /**
     * How late a stop, a pause, a position to confirm to the slot and a failed reader are noticed at rest: of
     * none of these the queue is notified.
     */
    static final Duration MAX_WAIT = Duration.ofMillis(100);

    // Both by the task's thread alone, which also starts it again after an error.
    private SignallingQueue<DataChangeEvent> events;
    int maxBatchSize;

    @Override
    public ChangeEventSourceCoordinator<PostgresPartition, PostgresOffsetContext> start(Configuration settings) {
        maxBatchSize = settings.getInteger(CommonConnectorConfig.MAX_BATCH_SIZE);
        return super.start(
                settings.edit().with(CommonConnectorConfig.MAX_BATCH_SIZE, 1).build());
    }

    /** Each start has a queue of its own: what the one before had read comes again, from the offset. */
    @Override
    protected void registerServiceProviders(ServiceRegistry services) {
        super.registerServiceProviders(services);
        var queue = new SignallingQueue<DataChangeEvent>();
        events = queue;
        services.registerServiceProvider(new ServiceProvider<QueueProviderService>() {
            @Override
            public Class<QueueProviderService> getServiceClass() {
                return QueueProviderService.class;
            }

            @Override
            public QueueProviderService createService(Configuration settings, ServiceRegistry registry) {
                return new QueueProviderService(queue);
            }
        });
    }

    @Override
    public List<SourceRecord> doPoll() throws InterruptedException {
        if (!events.awaitEvent(MAX_WAIT) && !readerFailed()) {
            return List.of();
        }
        var batch = new ArrayList<SourceRecord>();
        do {
            batch.addAll(pollQueue());
        } while (batch.size() < maxBatchSize && events.size() > 0);
        return batch;
    }

    private boolean readerFailed() {
        return getErrorHandler()
                .filter(handler -> handler.getProducerThrowable() != null)
                .isPresent();
    }

    /** At most one, and throws what the reader failed with. A method, for a test without a database. */
    List<SourceRecord> pollQueue() throws InterruptedException {
        return super.doPoll();
    }
}
