package dev.orderly.messaging;

import dev.orderly.database.DataRejectedException;
import dev.orderly.database.DatabaseMigration;
import dev.orderly.database.OutageException;
import dev.orderly.database.RetryingTransactions;
import io.quarkus.arc.All;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.jboss.logging.Logger;

/**
 * The delay queue of parked events: each is retried when it is due, in a transaction of its own and in the
 * order of its key. A table takes the place of retry topics, which would lose the order of a key and need a
 * second write.
 */
@ApplicationScoped
class ParkedRetries {

    private static final Logger LOG = Logger.getLogger(ParkedRetries.class);

    private final List<EventHandler<?>> handlers;
    private final EventConsumer consumer;
    private final ParkedEvents parkedEvents;
    private final EventPayloads payloads;
    private final RetryingTransactions transactions;
    private final Clock clock;

    ParkedRetries(
            @All List<EventHandler<?>> handlers,
            EventConsumer consumer,
            ParkedEvents parkedEvents,
            EventPayloads payloads,
            RetryingTransactions transactions,
            Clock clock) {
        this.handlers = handlers;
        this.consumer = consumer;
        this.parkedEvents = parkedEvents;
        this.payloads = payloads;
        this.transactions = transactions;
        this.clock = clock;
    }

    @Scheduled(every = "1s", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void retryDue() {
        var now = clock.instant(); // what fails in this run is not due again in it
        var groups = transactions.commit(parkedEvents::groups);
        if (!groups.isEmpty()) {
            transactions.commit(() -> {
                parkedEvents.releaseReadable();
                return null;
            });
        }
        for (var handler : handlers) {
            var due = groups.contains(handler.consumerGroup());
            while (due) {
                due = retryNext(handler, now);
            }
        }
    }

    /** Instances of the version before mark nothing as blocked, and release nothing. */
    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP, skipExecutionIf = DatabaseMigration.class)
    void correctBlocked() {
        transactions.commit(() -> {
            parkedEvents.correctBlocked();
            return null;
        });
    }

    /** Returns false when nothing was due by then. However an event fails, it concerns that event alone. */
    private boolean retryNext(EventHandler<?> handler, Instant now) {
        var tried = new ParkedEvent[1];
        try {
            return transactions.commit(() -> {
                var due = parkedEvents.lockDue(handler.consumerGroup(), now);
                if (due.isEmpty()) {
                    return false;
                }
                tried[0] = due.get();
                ConsumedRecord record;
                try {
                    record = tried[0].toRecord(payloads);
                } catch (OutageException e) {
                    LOG.warnf("%s: event %s waits: %s", handler.consumerGroup(), tried[0].eventId(), e.getMessage());
                    parkedEvents.defer(tried[0]);
                    return true;
                }
                consumer.applyParked(tried[0], record, handler);
                parkedEvents.remove(tried[0]);
                return true;
            });
        } catch (DataRejectedException e) {
            if (tried[0] == null) {
                LOG.errorf(e, "%s: cannot read what is due", handler.consumerGroup());
                return false; // until the next run; the other groups go on
            }
            LOG.warnf("%s: event %s stays parked: %s", handler.consumerGroup(), tried[0].eventId(), e);
            transactions.commit(() -> {
                parkedEvents.postpone(tried[0], e);
                return null;
            });
            return true;
        }
    }
}
