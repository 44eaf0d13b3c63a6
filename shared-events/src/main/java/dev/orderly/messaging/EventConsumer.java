package dev.orderly.messaging;

import static dev.orderly.messaging.ParkedEvents.Reason.BEHIND;
import static dev.orderly.messaging.ParkedEvents.Reason.GAP;
import static dev.orderly.messaging.ParkedEvents.Reason.UNREADABLE;

import dev.orderly.database.DataRejectedException;
import dev.orderly.database.DatabaseFailure;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.messaging.ConsumedRecord.Decoded;
import dev.orderly.messaging.ConsumedRecord.Undecodable;
import dev.orderly.messaging.ConsumedRecord.Versioned;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/**
 * Lets every event take effect exactly once, in the order of its partition, although it may be delivered any number of
 * times. One transaction per polled batch holds the inbox, the handler's work and the outbox; only after its commit does
 * the caller return, and only then are offsets committed.
 *
 * <ul>
 *   <li>A failure of the infrastructure repeats the batch, see {@link RetryingTransactions}: giving up would lose the batch, and
 *       parking it would park the whole topic for the length of an outage.
 *   <li>A failure of an event repeats the batch in halves, until the one that fails is alone and is parked, see
 *       {@link ParkedEvents}. So one bad event costs the others of its batch a few transactions.
 * </ul>
 */
@ApplicationScoped
public class EventConsumer {

    private static final Logger LOG = Logger.getLogger(EventConsumer.class);

    private static final String MISSING = "a version before this one is missing";

    private final RetryingTransactions transactions;
    private final Inbox inbox;
    private final SequenceGuard versionGuard;
    private final Outbox outbox;
    private final ParkedEvents parkedEvents;
    private final MeterRegistry metrics;

    EventConsumer(
            RetryingTransactions transactions,
            Inbox inbox,
            SequenceGuard versionGuard,
            Outbox outbox,
            ParkedEvents parkedEvents,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.inbox = inbox;
        this.versionGuard = versionGuard;
        this.outbox = outbox;
        this.parkedEvents = parkedEvents;
        this.metrics = metrics;
    }

    /**
     * Returns when every record has durably taken effect, or is parked or skipped.
     *
     * @param records of any partitions, those of a key in their order
     * @throws IllegalStateException when the application stops first; then none of the records may be acknowledged
     */
    public void consume(Iterable<ConsumerRecord<String, byte[]>> records, EventHandler<?> handler) {
        var deliveries = read(records, handler);
        if (!deliveries.isEmpty()) {
            applyOrSplit(deliveries, handler);
        }
    }

    private List<ConsumedRecord> read(Iterable<ConsumerRecord<String, byte[]>> records, EventHandler<?> handler) {
        var deliveries = new ArrayList<ConsumedRecord>();
        for (var record : records) {
            if (concerns(handler, record)) {
                deliveries.add(ConsumedRecord.of(record));
            }
        }
        return deliveries;
    }

    /** By the headers alone: what is not for the handler is not parsed. */
    private boolean concerns(EventHandler<?> handler, ConsumerRecord<String, byte[]> record) {
        var type = ConsumedRecord.type(record);
        if (type != null) {
            return handler.reactsTo().contains(type);
        }
        // A type of the future, or none of ours: readers ignore what they do not know, but for its place in a sequence.
        count(handler, "skipped", 1);
        return SequenceGuard.seesAllOf(ConsumedRecord.header(record, EventHeaders.SOURCE), handler)
                && ConsumedRecord.of(record) instanceof Versioned;
    }

    private void applyOrSplit(List<ConsumedRecord> deliveries, EventHandler<?> handler) {
        try {
            count(handler, transactions.commit(() -> apply(deliveries, handler)));
        } catch (DataRejectedException e) {
            if (deliveries.size() == 1) {
                park(deliveries.getFirst(), e, handler);
                return;
            }
            LOG.warnf("%s: a batch of %d failed, splitting it: %s", handler.consumerGroup(), deliveries.size(), e);
            var half = deliveries.size() / 2;
            applyOrSplit(deliveries.subList(0, half), handler);
            applyOrSplit(deliveries.subList(half, deliveries.size()), handler);
        }
    }

    private void park(ConsumedRecord delivery, DataRejectedException failure, EventHandler<?> handler) {
        LOG.errorf(failure, "%s: parking %s", handler.consumerGroup(), coordinates(delivery));
        count(handler, transactions.commit(() -> {
            inbox.addNew(handler.consumerGroup(), List.of(delivery.eventId()));
            parkedEvents.add(
                    handler.consumerGroup(),
                    delivery,
                    UnprocessableEventException.reason(failure),
                    failure.getMessage());
            return new Outcome(0, 0, 1);
        }));
    }

    private Outcome apply(List<ConsumedRecord> deliveries, EventHandler<?> handler) throws SQLException {
        var group = handler.consumerGroup();
        // First of all: what another owner of the partition has under way makes us wait here, before we have read
        // anything.
        var unseen = inbox.addNew(
                group, deliveries.stream().map(ConsumedRecord::eventId).toList());
        var news = deliveries.stream()
                .filter(delivery -> unseen.remove(delivery.eventId()))
                .toList();
        if (news.isEmpty()) {
            return new Outcome(0, deliveries.size(), 0);
        }
        var blocked = parkedEvents.keysAmong(
                group, news.stream().map(ConsumedRecord::key).toList());
        var versions = versionGuard.batch(handler, news);
        var events = new ArrayList<IncomingEvent<?>>(news.size());
        var duplicates = deliveries.size() - news.size();
        var parked = 0;
        for (var delivery : news) {
            var verdict = delivery instanceof Versioned versioned ? versions.judge(versioned) : null;
            if (verdict == SequenceGuard.Verdict.OLD) {
                duplicates++;
            } else if (delivery instanceof Undecodable unreadable) {
                parkedEvents.add(group, delivery, UNREADABLE, unreadable.problem());
                blocked.add(delivery.key());
                parked++;
            } else if (blocked.contains(delivery.key()) && !erases(delivery)) {
                parkedEvents.add(group, delivery, BEHIND, null);
                parked++;
            } else if (verdict == SequenceGuard.Verdict.GAP) {
                LOG.errorf("%s: events are missing before %s", group, coordinates(delivery));
                parkedEvents.add(group, delivery, GAP, MISSING);
                blocked.add(delivery.key());
                parked++;
            } else {
                if (blocked.contains(delivery.key())) {
                    // To be forgotten waits for nothing: what is parked before it would only be forgotten after it.
                    parkedEvents.erase(group, delivery.key());
                    blocked.remove(delivery.key());
                }
                versions.pass((Versioned) delivery);
                if (delivery instanceof Decoded readable) {
                    events.add(readable.received());
                }
            }
        }
        versions.save();
        decide(events, handler);
        return new Outcome(events.size(), duplicates, parked);
    }

    /**
     * Lets an event that was parked take effect in the current transaction.
     *
     * @throws DataRejectedException when it still cannot
     */
    void applyParked(ParkedEvent parked, EventHandler<?> handler) throws SQLException {
        switch (parked.delivery()) {
            case Undecodable unreadable -> throw new UnprocessableEventException(UNREADABLE, unreadable.problem());
            case Versioned delivery -> {
                var versions = versionGuard.batch(handler, List.of(delivery));
                var verdict = versions.judge(delivery);
                if (verdict == SequenceGuard.Verdict.OLD) {
                    return;
                }
                if (verdict == SequenceGuard.Verdict.GAP && !parked.gapAccepted()) {
                    throw new UnprocessableEventException(GAP, MISSING);
                }
                versions.pass(delivery);
                versions.save();
                if (delivery instanceof Decoded readable) {
                    decide(List.of(readable.received()), handler);
                }
            }
        }
    }

    private static boolean erases(ConsumedRecord delivery) {
        return delivery instanceof Decoded readable
                && readable.received().event().erasesKey();
    }

    private void decide(List<IncomingEvent<?>> events, EventHandler<?> handler) throws SQLException {
        if (!events.isEmpty()) {
            publish(decisions(events, handler), events);
        }
    }

    @SuppressWarnings("unchecked") // they are of the types that the handler reacts to
    private static <E extends Event> List<OutgoingEvent> decisions(
            List<IncomingEvent<?>> events, EventHandler<E> handler) throws SQLException {
        try {
            return handler.on((List<IncomingEvent<E>>) (List<?>) events);
        } catch (RuntimeException e) {
            throw DatabaseFailure.behind(e) == null ? new DataRejectedException(e) : e;
        }
    }

    private void publish(List<OutgoingEvent> decisions, List<IncomingEvent<?>> causes) throws SQLException {
        var traces = new HashMap<UUID, String>();
        causes.forEach(cause -> traces.put(cause.event().id(), cause.traceparent()));
        outbox.add(
                decisions,
                decision -> Traceparent.following(traces.get(decision.event().id())));
    }

    private void count(EventHandler<?> handler, Outcome outcome) {
        count(handler, "applied", outcome.applied);
        count(handler, "duplicate", outcome.duplicates);
        count(handler, "parked", outcome.parked);
    }

    private void count(EventHandler<?> handler, String outcome, int events) {
        metrics.counter("orderly.events", "group", handler.consumerGroup(), "outcome", outcome)
                .increment(events);
    }

    private static String coordinates(ConsumedRecord delivery) {
        var record = delivery.record();
        return record.topic() + '-' + record.partition() + '@' + record.offset();
    }

    /** What became of the events of a transaction. */
    private record Outcome(int applied, int duplicates, int parked) {}
}
