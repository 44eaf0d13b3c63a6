package dev.orderly.messaging;

import static dev.orderly.messaging.ParkedEvents.Reason.BEHIND;
import static dev.orderly.messaging.ParkedEvents.Reason.GAP;
import static dev.orderly.messaging.ParkedEvents.Reason.NEWER_SCHEMA;
import static dev.orderly.messaging.ParkedEvents.Reason.UNREADABLE;

import dev.orderly.database.DataRejectedException;
import dev.orderly.database.DatabaseFailure;
import dev.orderly.database.OutageException;
import dev.orderly.database.RetryingTransactions;
import dev.orderly.events.Event;
import dev.orderly.events.EventHeaders;
import dev.orderly.events.Topic;
import dev.orderly.messaging.ConsumedRecord.Decoded;
import dev.orderly.messaging.ConsumedRecord.NewerSchema;
import dev.orderly.messaging.ConsumedRecord.Undecodable;
import dev.orderly.messaging.ConsumedRecord.Versioned;
import dev.orderly.messaging.ParkedEvents.Reason;
import dev.orderly.messaging.SequenceGuard.Position;
import dev.orderly.tracing.LogFields;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;

/**
 * Lets every event take effect exactly once, in the order of its partition, although it may be delivered any
 * number of times. One transaction per polled batch holds the inbox, the handler's work and the outbox. The
 * caller returns after its commit, and only then are offsets committed.
 *
 * <ul>
 *   <li>A failure of the infrastructure repeats the batch, see {@link RetryingTransactions}: giving up would
 *       lose the batch, and parking it would park the whole topic for the length of an outage.
 *   <li>A failure of an event repeats the batch in halves, until the event that fails is alone and is parked,
 *       see {@link ParkedEvents}. So one poison event costs the others of its batch a few transactions.
 *   <li>A batch that lacks time or memory is halved likewise, but an event that is alone is repeated.
 * </ul>
 */
@ApplicationScoped
public class EventConsumer {

    private static final Logger LOG = Logger.getLogger(EventConsumer.class);

    private static final String MISSING = "a version before this one is missing";

    private final RetryingTransactions transactions;
    private final Inbox inbox;
    private final SequenceGuard sequenceGuard;
    private final Outbox outbox;
    private final ParkedEvents parkedEvents;
    private final EventPayloads payloads;
    private final MessageSpans spans;
    private final MeterRegistry metrics;

    EventConsumer(
            RetryingTransactions transactions,
            Inbox inbox,
            SequenceGuard sequenceGuard,
            Outbox outbox,
            ParkedEvents parkedEvents,
            EventPayloads payloads,
            MessageSpans spans,
            MeterRegistry metrics) {
        this.transactions = transactions;
        this.inbox = inbox;
        this.sequenceGuard = sequenceGuard;
        this.outbox = outbox;
        this.parkedEvents = parkedEvents;
        this.payloads = payloads;
        this.spans = spans;
        this.metrics = metrics;
    }

    /**
     * Returns when every record has durably taken effect, or is parked or skipped.
     *
     * @param records of any partitions, those of a key in their order
     * @throws IllegalStateException when the application stops first; then none of the records may be
     *     acknowledged
     */
    public void consume(Iterable<ConsumerRecord<String, byte[]>> records, EventHandler<?> handler) {
        var started = System.nanoTime();
        var received = 0;
        var relevant = new ArrayList<ConsumedRecord>();
        for (var raw : records) {
            received++;
            if (isRelevant(raw, handler)) {
                relevant.add(decoded(raw));
            }
        }
        try {
            transactions.commitBatch(
                    relevant,
                    part -> apply(part, handler),
                    outcome -> {
                        outcome.spans.end();
                        count(handler, outcome);
                    },
                    (record, failure) -> park(record, failure, handler));
        } finally {
            LogFields.clear();
        }
        measure(handler, received, System.nanoTime() - started);
    }

    private ConsumedRecord decoded(ConsumerRecord<String, byte[]> raw) {
        return transactions.untilAvailable(() -> ConsumedRecord.of(raw, payloads));
    }

    /**
     * How many records a group can consume in a second is records by busy time: a group that is idle most of
     * the time has a small rate of records, but not a small capacity.
     */
    private void measure(EventHandler<?> handler, int records, long nanos) {
        metrics.counter("orderly.records", "group", handler.consumerGroup()).increment(records);
        count(handler, "lost", 0); // one that appears with the first loss would not be seen to have changed
        metrics.timer("orderly.batch", "group", handler.consumerGroup()).record(nanos, TimeUnit.NANOSECONDS);
    }

    /**
     * By the headers alone, so that a record for others is not parsed. An unknown type changes nothing, since
     * readers ignore what they do not know. But it still counts for its place in the sequence: a handler that
     * sees all versions of the source would take the next one for a gap.
     */
    private boolean isRelevant(ConsumerRecord<String, byte[]> raw, EventHandler<?> handler) {
        var type = ConsumedRecord.type(raw);
        if (type != null) {
            return handler.reactsTo().contains(type);
        }
        count(handler, "skipped", 1);
        return SequenceGuard.seesAllOf(ConsumedRecord.header(raw, EventHeaders.SOURCE), handler)
                && decoded(raw) instanceof Versioned;
    }

    private void park(ConsumedRecord record, DataRejectedException failure, EventHandler<?> handler) {
        var group = handler.consumerGroup();
        setLogFields(List.of(record));
        LOG.errorf(failure, "%s: parking %s", group, record.coordinates());
        try {
            count(handler, transactions.commit(() -> {
                inbox.receive(group, List.of(record));
                parkedEvents.add(handler, record, UnprocessableEventException.reason(failure), failure.getMessage());
                return new BatchOutcome(0, 0, 1, MessageSpans.Batch.NONE);
            }));
        } catch (DataRejectedException e) {
            // No text and no number of a record is known to get here. One that does must not stop the others,
            // and is still on its topic.
            LOG.errorf(e, "%s: skipping %s, which cannot be parked", group, record.coordinates());
            count(handler, "lost", 1);
        }
    }

    private BatchOutcome apply(List<ConsumedRecord> records, EventHandler<?> handler) throws SQLException {
        var group = handler.consumerGroup();
        setLogFields(records);
        // First of all: if another owner of the partition has a transaction open, this one waits for it here,
        // before it has read anything.
        var received = inbox.receive(group, records);
        // Removed, so that of several records with the same id only the first is new.
        var unseen = records.stream()
                .filter(record -> received.added().remove(record.eventId()))
                .toList();
        var blockedKeys = received.parkedKeys();
        var sequences = sequenceGuard.batch(handler, received.lastVersions());
        var events = new ArrayList<IncomingEvent<?>>(unseen.size());
        var duplicates = records.size() - unseen.size();
        var parked = 0;
        for (var record : unseen) {
            switch (decide(record, blockedKeys, sequences)) {
                case Decision.Skip() -> duplicates++;
                case Decision.Park(var reason, var detail) -> {
                    if (reason == GAP) {
                        LOG.errorf("%s: events are missing before %s", group, record.coordinates());
                    }
                    parkedEvents.add(handler, record, reason, detail);
                    blockedKeys.add(record.key());
                    parked++;
                }
                case Decision.Apply(var next) -> {
                    if (blockedKeys.remove(next.key())) {
                        parkedEvents.erase(group, next.key());
                    }
                    sequences.advance(next);
                    if (next instanceof Decoded decoded) {
                        events.add(decoded.incoming());
                    }
                }
            }
        }
        sequences.save();
        var batch = spans.process(events, handler);
        handle(events, handler, batch);
        return new BatchOutcome(events.size(), duplicates, parked, batch);
    }

    /** For the lines of a handler, and of a failure. Of several records a line concerns none alone. */
    private static void setLogFields(List<ConsumedRecord> records) {
        if (records.size() > 1) {
            LogFields.clear();
            return;
        }
        var record = records.getFirst();
        LogFields.set(
                Topic.isErasable(record.raw().topic()) ? null : record.key(), // or it would be a customer's
                record.eventId(),
                ConsumedRecord.header(record.raw(), EventHeaders.TRACEPARENT));
    }

    /** What is to become of a record that the inbox has not seen. */
    private sealed interface Decision {
        record Skip() implements Decision {}

        record Park(Reason reason, String detail) implements Decision {}

        /** What is parked of its key is deleted: only an erasure passes that. */
        record Apply(Versioned record) implements Decision {}
    }

    private static Decision decide(ConsumedRecord record, Set<String> blockedKeys, SequenceGuard.Batch sequences) {
        return switch (record) {
            case Undecodable undecodable -> new Decision.Park(UNREADABLE, undecodable.problem());
            case Versioned versioned -> {
                var position = sequences.check(versioned);
                if (position == Position.DUPLICATE) {
                    yield new Decision.Skip();
                }
                // An erasure waits for nothing: what is parked before it would only be erased after it.
                if (blockedKeys.contains(record.key()) && !erasesKey(versioned)) {
                    yield new Decision.Park(BEHIND, null);
                }
                if (position == Position.GAP) {
                    yield new Decision.Park(GAP, MISSING);
                }
                if (versioned instanceof NewerSchema newer) {
                    yield new Decision.Park(NEWER_SCHEMA, newer.problem());
                }
                yield new Decision.Apply(versioned);
            }
        };
    }

    private static boolean erasesKey(Versioned record) {
        return record instanceof Decoded decoded && decoded.incoming().event().erasesKey();
    }

    /**
     * Lets an event that was parked take effect in the current transaction.
     *
     * @param record what it is by the code of today
     * @throws DataRejectedException when it still cannot
     */
    void applyParked(ParkedEvent parked, ConsumedRecord record, EventHandler<?> handler) throws SQLException {
        switch (record) {
            case Undecodable undecodable -> throw new UnprocessableEventException(UNREADABLE, undecodable.problem());
            case Versioned versioned -> {
                // Its id is in the inbox since it was parked.
                var received = inbox.receive(handler.consumerGroup(), List.of(versioned));
                var sequences = sequenceGuard.batch(handler, received.lastVersions());
                var position = sequences.check(versioned);
                if (position == Position.DUPLICATE) {
                    return;
                }
                if (position == Position.GAP && !parked.gapAccepted()) {
                    throw new UnprocessableEventException(GAP, MISSING);
                }
                if (versioned instanceof NewerSchema newer) {
                    throw new UnprocessableEventException(NEWER_SCHEMA, newer.problem());
                }
                sequences.advance(versioned);
                sequences.save();
                if (versioned instanceof Decoded decoded) {
                    handle(List.of(decoded.incoming()), handler, MessageSpans.Batch.NONE);
                }
            }
        }
    }

    private void handle(List<IncomingEvent<?>> events, EventHandler<?> handler, MessageSpans.Batch batch)
            throws SQLException {
        if (events.isEmpty()) {
            return;
        }
        var outgoing = outgoing(events, handler);
        var traces = new HashMap<UUID, String>();
        events.forEach(cause -> traces.put(cause.event().id(), batch.traceparent(cause)));
        outbox.add(outgoing, event -> traces.get(event.event().id()));
    }

    @SuppressWarnings("unchecked") // they are of the types that the handler reacts to
    private static <E extends Event> List<OutgoingEvent> outgoing(
            List<IncomingEvent<?>> events, EventHandler<E> handler) throws SQLException {
        try {
            return handler.on((List<IncomingEvent<E>>) (List<?>) events);
        } catch (RuntimeException e) {
            throw DatabaseFailure.causeOf(e) == null && !OutageException.isCauseOf(e)
                    ? new DataRejectedException(e)
                    : e;
        }
    }

    private void count(EventHandler<?> handler, BatchOutcome outcome) {
        count(handler, "applied", outcome.applied);
        count(handler, "duplicate", outcome.duplicates);
        count(handler, "parked", outcome.parked);
    }

    private void count(EventHandler<?> handler, String outcome, int events) {
        metrics.counter("orderly.events", "group", handler.consumerGroup(), "outcome", outcome)
                .increment(events);
    }

    /** What became of the events of a transaction, and the spans that end with it. */
    private record BatchOutcome(int applied, int duplicates, int parked, MessageSpans.Batch spans) {}
}
