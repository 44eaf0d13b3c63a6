package dev.orderly.messaging;

import static dev.orderly.messaging.ParkedEvents.Reason.BEHIND;
import static dev.orderly.messaging.ParkedEvents.Reason.FAILED;
import static dev.orderly.messaging.ParkedEvents.Reason.UNREADABLE;

import dev.orderly.events.EventHeaders;
import dev.orderly.events.EventJson;
import dev.orderly.messaging.Delivery.Readable;
import dev.orderly.messaging.Delivery.Unreadable;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jboss.logging.Logger;

/**
 * Lets every event take effect exactly once, in the order of its partition, although it may be delivered any number of
 * times. One transaction per polled batch holds the inbox, the handler's work and the outbox; only after its commit does
 * the caller return, and only then are offsets committed.
 *
 * <ul>
 *   <li>A failure of the infrastructure repeats the batch, with growing jittered pauses, for as long as it lasts: giving
 *       up would lose the batch, and parking it would park the whole topic for the length of an outage.
 *   <li>A failure of an event repeats the batch record by record, and parks the one that fails, see {@link ParkedEvents}.
 * </ul>
 */
@ApplicationScoped
public class EventConsumer {

    private static final Logger LOG = Logger.getLogger(EventConsumer.class);

    /** Longer than any statement may take; the role's own timeouts end those first. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(15);

    private static final Duration MIN_PAUSE = Duration.ofMillis(50);
    private static final Duration MAX_PAUSE = Duration.ofSeconds(5);

    private final Inbox inbox;
    private final Outbox outbox;
    private final ParkedEvents parkedEvents;
    private final Migration migration;
    private final MeterRegistry metrics;
    private final CountDownLatch stopping = new CountDownLatch(1);

    EventConsumer(Inbox inbox, Outbox outbox, ParkedEvents parkedEvents, Migration migration, MeterRegistry metrics) {
        this.inbox = inbox;
        this.outbox = outbox;
        this.parkedEvents = parkedEvents;
        this.migration = migration;
        this.metrics = metrics;
    }

    void stop(@Observes ShutdownEvent event) {
        stopping.countDown();
    }

    /**
     * Returns when every record has durably taken effect, or is parked or skipped.
     *
     * @throws IllegalStateException when the application stops first; then none of the records may be acknowledged
     */
    public void consume(ConsumerRecords<String, byte[]> records, OrderEventHandler handler) {
        var deliveries = read(records, handler);
        if (deliveries.isEmpty()) {
            return;
        }
        try {
            apply(deliveries, handler);
        } catch (EventFailure e) {
            LOG.warnf(
                    "%s: a batch of %d failed, taking it one by one: %s",
                    handler.consumerGroup(), deliveries.size(), e);
            deliveries.forEach(delivery -> applyOrPark(delivery, handler));
        }
    }

    private List<Delivery> read(ConsumerRecords<String, byte[]> records, OrderEventHandler handler) {
        var deliveries = new ArrayList<Delivery>(records.count());
        for (var partition : records.partitions()) {
            for (ConsumerRecord<String, byte[]> record : records.records(partition)) {
                var name = Delivery.header(record, EventHeaders.TYPE);
                var type = name == null ? null : EventJson.typeNamed(name);
                if (type == null) {
                    // A type of the future, or none of ours: readers ignore what they do not know.
                    count(handler, "skipped", 1);
                } else if (handler.reactsTo().contains(type)) {
                    deliveries.add(Delivery.of(record, type));
                }
            }
        }
        return deliveries;
    }

    private void applyOrPark(Delivery delivery, OrderEventHandler handler) {
        try {
            apply(List.of(delivery), handler);
        } catch (EventFailure e) {
            LOG.errorf(e.getCause(), "%s: parking %s", handler.consumerGroup(), coordinates(delivery));
            count(handler, inTransaction(() -> {
                inbox.addNew(handler.consumerGroup(), List.of(delivery.eventId()));
                parkedEvents.add(
                        handler.consumerGroup(), delivery, FAILED, e.getCause().toString());
                return new Outcome(0, 0, 1);
            }));
        }
    }

    private void apply(List<Delivery> deliveries, OrderEventHandler handler) {
        count(handler, inTransaction(() -> applyOnce(deliveries, handler)));
    }

    private Outcome applyOnce(List<Delivery> deliveries, OrderEventHandler handler) throws SQLException {
        var group = handler.consumerGroup();
        // First of all: what another owner of the partition has under way makes us wait here, before we have read
        // anything.
        var unseen =
                inbox.addNew(group, deliveries.stream().map(Delivery::eventId).toList());
        var blocked = parkedEvents.keysAmong(
                group, deliveries.stream().map(Delivery::key).toList());
        var events = new ArrayList<ReceivedEvent>(deliveries.size());
        var duplicates = 0;
        for (var delivery : deliveries) {
            if (!unseen.remove(delivery.eventId())) {
                duplicates++;
            } else if (delivery instanceof Unreadable unreadable) {
                parkedEvents.add(group, delivery, UNREADABLE, unreadable.problem());
                blocked.add(delivery.key());
            } else if (blocked.contains(delivery.key())) {
                parkedEvents.add(group, delivery, BEHIND, null);
            } else if (delivery instanceof Readable readable) {
                events.add(readable.received());
            }
        }
        if (!events.isEmpty()) {
            publish(decisions(events, handler), events);
        }
        return new Outcome(events.size(), duplicates, deliveries.size() - events.size() - duplicates);
    }

    private static List<NewEvent> decisions(List<ReceivedEvent> events, OrderEventHandler handler) throws SQLException {
        try {
            return handler.on(events);
        } catch (RuntimeException e) {
            throw DatabaseFailure.behind(e) == null ? new EventFailure(e) : e;
        }
    }

    private void publish(List<NewEvent> decisions, List<ReceivedEvent> causes) throws SQLException {
        var traces = new HashMap<UUID, String>();
        causes.forEach(cause -> traces.put(cause.event().id(), cause.traceparent()));
        outbox.add(
                decisions,
                decision -> Traceparent.following(traces.get(decision.event().id())));
    }

    /** Until it commits, or an event is at fault. */
    private Outcome inTransaction(Work work) {
        var pause = MIN_PAUSE;
        while (true) {
            try {
                if (!migration.done()) {
                    throw new IllegalStateException("the database is not migrated yet");
                }
                return QuarkusTransaction.requiringNew()
                        .timeout((int) TRANSACTION_TIMEOUT.toSeconds())
                        .call(() -> {
                            try {
                                return work.run();
                            } catch (SQLException e) {
                                throw new DatabaseFailure(e);
                            }
                        });
            } catch (EventFailure e) {
                throw e;
            } catch (RuntimeException e) {
                var failure = DatabaseFailure.behind(e);
                if (failure != null && DatabaseFailure.isTheFaultOfData(failure)) {
                    throw new EventFailure(e);
                }
                LOG.warnf("trying again in about %d ms: %s", pause.toMillis(), failure == null ? e : failure);
                await(pause);
                pause = pause.multipliedBy(2).compareTo(MAX_PAUSE) < 0 ? pause.multipliedBy(2) : MAX_PAUSE;
            }
        }
    }

    private void await(Duration pause) {
        try {
            var millis = ThreadLocalRandom.current().nextLong(pause.toMillis() / 2, pause.toMillis() * 3 / 2);
            if (stopping.await(millis, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("the application stops before the batch could take effect");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before the batch could take effect", e);
        }
    }

    private void count(OrderEventHandler handler, Outcome outcome) {
        count(handler, "applied", outcome.applied);
        count(handler, "duplicate", outcome.duplicates);
        count(handler, "parked", outcome.parked);
    }

    private void count(OrderEventHandler handler, String outcome, int events) {
        metrics.counter("orderly.events", "group", handler.consumerGroup(), "outcome", outcome)
                .increment(events);
    }

    private static String coordinates(Delivery delivery) {
        var record = delivery.record();
        return record.topic() + '-' + record.partition() + '@' + record.offset();
    }

    /** What became of the events of a transaction. */
    private record Outcome(int applied, int duplicates, int parked) {}

    private interface Work {
        Outcome run() throws SQLException;
    }

    /** An event cannot take effect, however often it is tried. */
    private static final class EventFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        EventFailure(RuntimeException cause) {
            super(cause);
        }
    }
}
