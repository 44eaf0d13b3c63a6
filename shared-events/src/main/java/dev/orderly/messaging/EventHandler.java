package dev.orderly.messaging;

import dev.orderly.events.Event;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A service's reaction to the events of a topic: one handler per consumer group. A subclass decides in
 * {@link #on}, and receives by a method of its own, since {@code @Incoming} names the channel:
 *
 * <pre>{@code
 * @Incoming("orders")
 * @Blocking
 * void receive(ConsumerRecords<String, byte[]> records) {
 *     consume(records);
 * }
 * }</pre>
 *
 * <p>Subclasses are {@code @Singleton}: another scope needs a proxy, which needs a constructor without
 * arguments.
 *
 * @param <E> the events of the topic that it reads
 */
public abstract class EventHandler<E extends Event> {

    private final EventConsumer consumer;
    private final String consumerGroup;
    private final Set<Class<? extends E>> reactsTo;

    /**
     * @param consumerGroup names the inbox; what is recorded under it never takes effect a second time
     * @param reactsTo the types that change something; all others are skipped by their header, not parsed
     */
    protected EventHandler(EventConsumer consumer, String consumerGroup, Set<Class<? extends E>> reactsTo) {
        this.consumer = consumer;
        this.consumerGroup = consumerGroup;
        this.reactsTo = reactsTo;
    }

    /** See {@link EventConsumer#consume}. */
    public final void consume(Iterable<ConsumerRecord<String, byte[]>> records) {
        consumer.consume(records, this);
    }

    public final String consumerGroup() {
        return consumerGroup;
    }

    public final Set<Class<? extends E>> reactsTo() {
        return reactsTo;
    }

    /**
     * Whether this reads again what another group of the service has read: then it publishes no dead letters,
     * which are there already under the name of the first, and makes no spans.
     */
    protected boolean isSecondReader() {
        return false;
    }

    /**
     * Does the work of a batch: reads what it needs in one go, decides event by event, writes in one go.
     *
     * <p>Runs inside a transaction that also holds the inbox and the outbox, and may run again from the start
     * after a rollback, so its only effects are on this service's database. Each event is new, and the events
     * of one key are in the order in which they happened.
     *
     * @return what is to be published in consequence, in order; it joins the trace of the event of its key
     * @throws SQLException when a statement fails: an outage repeats the batch, the fault of an event parks
     *     it
     * @throws RuntimeException when an event cannot take effect; that event is parked, and the later ones of
     *     its key behind it
     */
    public abstract List<OutgoingEvent> on(List<IncomingEvent<E>> events) throws SQLException;
}
